#include "tracker/mask_heads.hpp"

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

}  // namespace

HeadOutput decode(const nn::Model& model, const torch::Tensor& features,
                  const std::vector<torch::Tensor>& high_res,
                  const std::optional<PointInputs>& points, const torch::Tensor& mask,
                  bool multimask) {
  const nn::BaseConfig& base = model.config().model;
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

  HeadOutput out;
  out.object_score = decoded.object_score;
  auto masks = decoded.masks;
  if (base.pred_obj_scores)
    masks = torch::where(out.object_score.view({-1, 1, 1, 1}) > 0, masks,
                         torch::full({}, kAbsent, masks.options()));
  auto token = decoded.tokens.select(1, 0);
  out.proposals = out.low_res = masks;
  out.proposed_ious = out.predicted_iou = decoded.iou;
  if (multimask) {
    const auto best = decoded.iou.argmax(1);
    const auto rows = torch::arange(batch, best.options());
    out.low_res = masks.index({rows, best}).unsqueeze(1);
    out.predicted_iou = decoded.iou.index({rows, best}).unsqueeze(1);
    if (decoded.tokens.size(1) > 1) token = decoded.tokens.index({rows, best});
  }
  const int size = model.config().image_size;
  out.high_res = nn::resize_bilinear(out.low_res, size, size);
  out.pointer = network.project_pointer(token);
  if (base.pred_obj_scores)
    out.pointer = mix_absence(model, out.pointer,
                              base.soft_no_obj_ptr ? torch::sigmoid(out.object_score)
                                                   : (out.object_score > 0).to(torch::kFloat32));
  return out;
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
  out.proposals = out.low_res;
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

bool proposes_three(const nn::BaseConfig& config, bool initial_frame, std::int64_t points) {
  return config.multimask_output_in_sam &&
         (initial_frame || config.multimask_output_for_tracking) &&
         config.multimask_min_pt_num <= points && points <= config.multimask_max_pt_num;
}

}  // namespace vostrack::tracker
