#include "vostrack/image.hpp"

#include <algorithm>
#include <cmath>
#include <list>
#include <numeric>

#include "base/check.hpp"
#include "model_impl.hpp"
#include "nn/layers.hpp"
#include "tensors.hpp"
#include "tracker/image_segmenter.hpp"
#include "tracker/masks_at_size.hpp"
#ifdef VOSTRACK_WITH_VIDEO
#include "video/picture_io.hpp"
#endif

namespace vostrack {

struct MaskCandidate::Impl {
  torch::Tensor low_res;  ///< (1, 1, s, s), cleaned up
  torch::Tensor raw;      ///< (1, 1, s, s), as decoded
  float predicted_iou;
  float object_score;
  int height, width;

};

float MaskCandidate::predicted_iou() const noexcept {
  return impl_->predicted_iou;
}
float MaskCandidate::object_score() const noexcept {
  return impl_->object_score;
}
Mask MaskCandidate::mask(float threshold) const {
  return tracker::mask_at_size(impl_->low_res, impl_->height, impl_->width, threshold);
}
Logits MaskCandidate::logits() const {
  torch::InferenceMode guard;
  return to_logits(nn::resize_bilinear(impl_->low_res, impl_->height, impl_->width));
}
Logits MaskCandidate::low_res_logits() const {
  torch::InferenceMode guard;
  return to_logits(impl_->raw.clamp(-32, 32));
}

struct ImageSegmenter::Impl {
  struct Encoded {
    std::string key;
    nn::ImageFeatures features;
    int height, width;
  };

  Model model;
  ImageConfig config;
  /// The current picture first, then the most recently used; empty before set_image.
  std::list<Encoded> cache;

  const Encoded& current() const {
    check(!cache.empty(), ErrorCode::kFailedState, "there is no picture; call set_image first");
    return cache.front();
  }

  std::vector<std::vector<MaskCandidate>> run(const tracker::PointInputs& points, bool multimask,
                                              const PredictOptions& options) const {
    const nn::Model& network = *model.impl()->model;
    const Encoded& image = current();
    torch::Tensor previous;
    if (options.previous) {
      const int side = network.config().mask_size();
      const Logits& logits = *options.previous;
      check(logits.height == side && logits.width == side &&
                logits.data.size() == static_cast<std::size_t>(side) * side,
            ErrorCode::kInvalidArgument, "previous logits are {}×{}, want {}×{}", logits.height,
            logits.width, side, side);
      check(std::ranges::all_of(logits.data, [](float v) { return std::isfinite(v); }),
            ErrorCode::kInvalidArgument, "previous logits hold NaN or infinity");
      previous = torch::tensor(logits.data).view({1, 1, side, side});
      previous = previous.expand({points.coords.size(0), 1, side, side});
    }
    const auto masks =
        tracker::segment(network, image.features, points, previous, multimask,
                         {config.fill_hole_area, config.remove_sprinkle_area, /*threshold=*/0.0});
    torch::InferenceMode guard;
    const auto iou = masks.iou.to(torch::kCPU);
    const auto score = masks.object_score.to(torch::kCPU);
    std::vector<std::vector<MaskCandidate>> answers;
    for (std::int64_t b = 0; b < iou.size(0); ++b) {
      std::vector<MaskCandidate> candidates;
      for (std::int64_t m = 0; m < iou.size(1); ++m) {
        auto impl = std::make_shared<MaskCandidate::Impl>();
        impl->low_res = masks.low_res[b][m].unsqueeze(0).unsqueeze(0).to(torch::kCPU);
        impl->raw = masks.raw_low_res[b][m].unsqueeze(0).unsqueeze(0).to(torch::kCPU);
        impl->predicted_iou = iou[b][m].item<float>();
        impl->object_score = score[b][0].item<float>();
        impl->height = image.height;
        impl->width = image.width;
        candidates.emplace_back(std::move(impl));
      }
      std::ranges::stable_sort(candidates, std::greater<>(), &MaskCandidate::predicted_iou);
      answers.push_back(std::move(candidates));
    }
    return answers;
  }
};

ImageSegmenter::ImageSegmenter(Model model, ImageConfig config) {
  check(config.cached_images >= 1, ErrorCode::kInvalidArgument,
        "cached_images is {}, want at least 1", config.cached_images);
  check(config.fill_hole_area >= 0 && config.remove_sprinkle_area >= 0, ErrorCode::kInvalidArgument,
        "fill_hole_area is {} and remove_sprinkle_area is {}, want at least 0",
        config.fill_hole_area, config.remove_sprinkle_area);
  impl_ = std::make_unique<Impl>(Impl{std::move(model), config, {}});
}
ImageSegmenter::~ImageSegmenter() = default;
ImageSegmenter::ImageSegmenter(ImageSegmenter&&) noexcept = default;
ImageSegmenter& ImageSegmenter::operator=(ImageSegmenter&&) noexcept = default;

void ImageSegmenter::set_image(const Image& image, const std::string& key) {
  const auto picture = to_tensor(image);
  auto& cache = impl_->cache;
  if (!key.empty()) {
    const auto known = std::ranges::find_if(cache, [&](const Impl::Encoded& encoded) {
      return encoded.key == key && encoded.height == image.height && encoded.width == image.width;
    });
    if (known != cache.end()) {
      cache.splice(cache.begin(), cache, known);
      return;
    }
  }
  translate_errors([&] {
    torch::InferenceMode guard;
    const nn::Model& network = *impl_->model.impl()->model;
    cache.push_front(
        {key, network.encode(network.network_input(picture)), image.height, image.width});
  });
  while (cache.size() > static_cast<std::size_t>(impl_->config.cached_images)) cache.pop_back();
}

std::vector<MaskCandidate> ImageSegmenter::predict(const Prompt& prompt,
                                                   const PredictOptions& options) {
  const auto& image = impl_->current();
  Prompt scaled = prompt;
  if (options.coordinates == Coordinates::kFractions) {
    const auto width = static_cast<float>(image.width);
    const auto height = static_cast<float>(image.height);
    for (Click& click : scaled.clicks) click = {click.x * width, click.y * height, click.positive};
    if (scaled.box)
      scaled.box = Box{scaled.box->x0 * width, scaled.box->y0 * height, scaled.box->x1 * width,
                       scaled.box->y1 * height};
  }
  check(!scaled.mask, ErrorCode::kInvalidArgument,
        "a picture is prompted by clicks, a box or previous logits, got a mask");
  check(!scaled.add_to_earlier_clicks, ErrorCode::kInvalidArgument,
        "each prediction on a picture stands alone: give all clicks at once");
  tracker::check_prompt(scaled, image.height, image.width);
  const bool three = options.masks == MaskCount::kThree ||
                     (options.masks == MaskCount::kAuto && scaled.clicks.size() == 1 &&
                      !scaled.box && !options.previous);
  return translate_errors([&] {
    return impl_
        ->run(tracker::point_inputs(scaled, image.height, image.width, impl_->model.image_size()),
              three, options)
        .front();
  });
}

std::vector<std::vector<MaskCandidate>> ImageSegmenter::predict_boxes(
    const std::vector<Box>& boxes, const PredictOptions& options) {
  const auto& image = impl_->current();
  if (boxes.empty()) return {};
  const bool fractions = options.coordinates == Coordinates::kFractions;
  const auto width = fractions ? static_cast<float>(image.width) : 1.0F;
  const auto height = fractions ? static_cast<float>(image.height) : 1.0F;
  std::vector<torch::Tensor> coords, labels;
  for (const Box& box : boxes) {
    Prompt prompt;
    prompt.box = Box{box.x0 * width, box.y0 * height, box.x1 * width, box.y1 * height};
    tracker::check_prompt(prompt, image.height, image.width);
    const auto points =
        tracker::point_inputs(prompt, image.height, image.width, impl_->model.image_size());
    coords.push_back(points.coords);
    labels.push_back(points.labels);
  }
  return translate_errors([&] {
    return impl_->run({torch::cat(coords), torch::cat(labels)}, options.masks == MaskCount::kThree,
                      options);
  });
}

Image read_image(const std::string& path) {
#ifdef VOSTRACK_WITH_VIDEO
  return video::read_picture(path);
#else
  fail(ErrorCode::kUnsupported, "{}: this build reads no pictures (VOSTRACK_VIDEO is off)", path);
#endif
}

}  // namespace vostrack
