#include "tracker/mask_heads.hpp"

#include <utility>

#include "nn/layers.hpp"

namespace vostrack::tracker {
namespace {

// A mask prompt becomes these logits and scores.
constexpr double kMaskScale = 20.0;
constexpr double kMaskBias = -10.0;

/// Mixes the embedding that stands for an absent object into a pointer.
///
/// @param presence  (B, 1) float32, 0 to 1
torch::Tensor mix_absence(const nn::Model& model, torch::Tensor pointer,
                          const torch::Tensor& presence) {
  const auto& absent = model.network().no_obj_ptr;
  if (!absent.defined()) return pointer;
  if (model.config().model.fixed_no_obj_ptr) pointer = presence * pointer;
  return pointer + (1 - presence) * absent;
}

/// The decoder's masks with what they need to be picked from.
struct Proposals {
  torch::Tensor masks;         ///< (B, N, s, s), −1024 where the object is absent
  torch::Tensor iou;           ///< (B, N)
  torch::Tensor tokens;        ///< (B, N or 1, C)
  torch::Tensor object_score;  ///< (B, 1)
  torch::Tensor decoded;       ///< `masks` without the −1024
};

Proposals run_decoder(const nn::Model& model, const torch::Tensor& features,
                      const std::vector<torch::Tensor>& high_res,
                      const std::optional<PointInputs>& points, const torch::Tensor& mask,
                      bool multimask) {
  auto& network = model.network();
  auto& prompts = *network.prompt_encoder;
  const auto device = model.runtime().device;
  const auto batch = features.size(0);
  const PointInputs inputs =
      points ? points->to(device)
             : PointInputs{torch::zeros({batch, 1, 2}, torch::TensorOptions(device)),
                           torch::full({batch, 1}, static_cast<int>(nn::kPadding),
                                       torch::TensorOptions(torch::kInt32).device(device))};
  torch::Tensor mask_prompt;
  if (mask.defined())
    mask_prompt = nn::resize_bilinear_antialias(mask.to(device), prompts.mask_input_size(),
                                                prompts.mask_input_size());
  auto decoded = network.mask_decoder->forward(
      features, model.dense_pe(), prompts.embed_points(inputs.coords, inputs.labels),
      prompts.embed_mask(mask_prompt, batch), high_res, multimask);
  auto masks = decoded.masks;
  if (model.config().model.pred_obj_scores)
    masks = torch::where(decoded.object_score.view({-1, 1, 1, 1}) > 0, masks,
                         torch::full({}, kAbsent, masks.options()));
  return {masks, decoded.iou, decoded.tokens, decoded.object_score, decoded.masks};
}

/// @param which  (B) int64, the mask of each object
HeadOutput pick(const nn::Model& model, const Proposals& proposals, const torch::Tensor& which) {
  const nn::BaseConfig& base = model.config().model;
  const auto rows = torch::arange(which.size(0), which.options());
  HeadOutput out;
  out.object_score = proposals.object_score;
  out.proposals = proposals.masks;
  out.proposed_ious = proposals.iou;
  out.decoded = proposals.decoded;
  out.low_res = proposals.masks.index({rows, which}).unsqueeze(1);
  out.predicted_iou = proposals.iou.index({rows, which}).unsqueeze(1);
  const auto token = proposals.tokens.size(1) > 1 ? proposals.tokens.index({rows, which})
                                                  : proposals.tokens.select(1, 0);
  const int size = model.config().image_size;
  out.high_res = nn::resize_bilinear(out.low_res, size, size);
  out.pointer = model.network().project_pointer(token);
  if (base.pred_obj_scores)
    out.pointer = mix_absence(model, out.pointer,
                              base.soft_no_obj_ptr ? torch::sigmoid(out.object_score)
                                                   : (out.object_score > 0).to(torch::kFloat32));
  return out;
}

}  // namespace

HeadOutput decode(const nn::Model& model, const torch::Tensor& features,
                  const std::vector<torch::Tensor>& high_res,
                  const std::optional<PointInputs>& points, const torch::Tensor& mask,
                  bool multimask) {
  const auto proposals = run_decoder(model, features, high_res, points, mask, multimask);
  return pick(model, proposals, proposals.iou.argmax(1));
}

std::vector<HeadOutput> propose(const nn::Model& model, const torch::Tensor& features,
                                const std::vector<torch::Tensor>& high_res,
                                const std::optional<PointInputs>& points, const torch::Tensor& mask,
                                bool multimask) {
  const auto proposals = run_decoder(model, features, high_res, points, mask, multimask);
  const auto ranking = proposals.iou.argsort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  std::vector<HeadOutput> outputs;
  for (std::int64_t rank = 0; rank < ranking.size(1); ++rank)
    outputs.push_back(pick(model, proposals, ranking.select(1, rank)));
  return outputs;
}

HeadOutput take_mask(const nn::Model& model, const nn::ImageFeatures& image,
                     const torch::Tensor& mask) {
  const nn::BaseConfig& base = model.config().model;
  const auto on_device = mask.to(model.runtime().device);
  const int quarter = model.config().image_size / 4;
  HeadOutput out;
  out.high_res = on_device * kMaskScale + kMaskBias;
  out.low_res = nn::resize_bilinear_antialias(out.high_res, quarter, quarter);
  auto presence = (on_device > 0).flatten(1).any(1, /*keepdim=*/true).to(torch::kFloat32);
  out.object_score = kMaskScale * presence + kMaskBias;
  out.predicted_iou = torch::ones_like(presence);
  out.proposals = out.decoded = out.low_res;
  out.proposed_ious = out.predicted_iou;
  if (base.use_obj_ptrs_in_encoder) {
    out.pointer = decode(model, image.coarse.to(torch::kFloat32), image.high_res, std::nullopt,
                         model.network().downsample_mask(on_device), /*multimask=*/false)
                      .pointer;
  } else {
    out.pointer =
        torch::zeros({on_device.size(0), model.config().neck.d_model}, on_device.options());
  }
  if (base.pred_obj_scores) out.pointer = mix_absence(model, out.pointer, presence);
  return out;
}

torch::Tensor describe_proposals(const HeadOutput& head) {
  constexpr std::int64_t kMost = 3;
  const auto masks = head.proposals > 0;
  /// First and last of the lines that hold anything, its end outside; both 0 where none does.
  const auto extent = [](const torch::Tensor& lines) {
    const auto any = lines.any(2);
    const auto first = lines.to(torch::kUInt8).argmax(2);
    const auto last = lines.size(2) - lines.flip(2).to(torch::kUInt8).argmax(2);
    return std::pair{first * any, last * any};
  };
  const auto [x0, x1] = extent(masks.any(2));
  const auto [y0, y1] = extent(masks.any(3));
  const auto order = head.proposed_ious.argsort(/*stable=*/true, /*dim=*/1, /*descending=*/true);
  const auto described =
      torch::stack({head.proposed_ious, x0.to(torch::kFloat32), y0.to(torch::kFloat32),
                    x1.to(torch::kFloat32), y1.to(torch::kFloat32)},
                   2)
          .gather(1, order.unsqueeze(2).expand({-1, -1, 5}));
  return torch::constant_pad_nd(described, {0, 0, 0, kMost - described.size(1)});
}

bool proposes_three(const nn::BaseConfig& config, bool initial_frame, std::int64_t points) {
  return config.multimask_output_in_sam &&
         (initial_frame || config.multimask_output_for_tracking) &&
         config.multimask_min_pt_num <= points && points <= config.multimask_max_pt_num;
}

}  // namespace vostrack::tracker
