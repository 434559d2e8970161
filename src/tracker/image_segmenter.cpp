#include "tracker/image_segmenter.hpp"

#include "memory/conditioning.hpp"
#include "tracker/postprocess.hpp"

namespace vostrack::tracker {
namespace {
constexpr double kSure = 10.0;  ///< logits of cleaned-up pixels, above or below the threshold
}

ImageMasks segment(const nn::Model& model, const nn::ImageFeatures& image,
                   const PointInputs& points, const torch::Tensor& mask, bool multimask,
                   const ImageCleanUp& clean_up) {
  torch::InferenceMode guard;
  auto& network = model.network();
  const auto device = model.runtime().device;
  const PointInputs inputs = points.to(device);
  const auto batch = inputs.coords.size(0);
  auto features = image.coarse.to(torch::kFloat32);
  if (model.config().model.directly_add_no_mem_embed)
    features = features + network.no_mem_embed.view({1, -1, 1, 1});
  auto decoded = network.mask_decoder->forward(
      features.expand({batch, -1, -1, -1}), model.dense_pe(),
      network.prompt_encoder->embed_points(inputs.coords, inputs.labels),
      network.prompt_encoder->embed_mask(mask.defined() ? mask.to(device) : mask, batch),
      image.high_res, multimask);

  ImageMasks out;
  out.raw_low_res = decoded.masks;
  out.iou = decoded.iou;
  out.object_score = decoded.object_score;
  auto planes = decoded.masks.flatten(0, 1).unsqueeze(1);
  planes =
      fill_holes(planes, clean_up.fill_hole_area, clean_up.threshold, clean_up.threshold + kSure);
  // Specks are looked for in the masks as they came, as the reference does.
  if (clean_up.remove_sprinkle_area > 0) {
    auto raw = decoded.masks.flatten(0, 1).unsqueeze(1);
    auto removed = remove_sprinkles(raw, clean_up.remove_sprinkle_area, clean_up.threshold,
                                    clean_up.threshold - kSure);
    planes = torch::where(removed != raw, removed, planes);
  }
  out.low_res = planes.view(decoded.masks.sizes());
  return out;
}

}  // namespace vostrack::tracker
