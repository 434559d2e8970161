#include "tracker/postprocess.hpp"

#include <vector>

namespace vostrack::tracker {
namespace {

/// Disjoint sets of pixels with their sizes.
class PixelSets {
 public:
  explicit PixelSets(std::int64_t count) : parent_(count), area_(count, 1) {
    for (std::int64_t i = 0; i < count; ++i) parent_[i] = static_cast<std::int32_t>(i);
  }
  std::int32_t find(std::int32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::int32_t a, std::int32_t b) {
    a = find(a);
    b = find(b);
    if (a == b) return;
    if (area_[a] < area_[b]) std::swap(a, b);
    parent_[b] = a;
    area_[a] += area_[b];
  }
  std::int32_t area(std::int32_t i) { return area_[find(i)]; }

 private:
  std::vector<std::int32_t> parent_, area_;
};

/// Replaces small 8-connected regions of pixels for which `inside` holds.
template <class Inside>
torch::Tensor replace_small_regions(const torch::Tensor& logits, int max_area, double value,
                                    Inside inside) {
  if (max_area <= 0) return logits;
  auto out = logits.detach().to(torch::kCPU).contiguous().clone();
  const auto height = out.size(-2);
  const auto width = out.size(-1);
  const auto pixels = height * width;
  for (std::int64_t n = 0; n < out.numel() / pixels; ++n) {
    float* plane = out.data_ptr<float>() + n * pixels;
    std::vector<bool> member(pixels);
    for (std::int64_t i = 0; i < pixels; ++i) member[i] = inside(plane[i]);
    PixelSets sets(pixels);
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x) {
        const auto i = static_cast<std::int32_t>(y * width + x);
        if (!member[i]) continue;
        if (x > 0 && member[i - 1]) sets.join(i, i - 1);
        if (y == 0) continue;
        for (std::int64_t dx = -1; dx <= 1; ++dx)
          if (x + dx >= 0 && x + dx < width && member[i - width + dx])
            sets.join(i, static_cast<std::int32_t>(i - width + dx));
      }
    for (std::int64_t i = 0; i < pixels; ++i)
      if (member[i] && sets.area(static_cast<std::int32_t>(i)) <= max_area)
        plane[i] = static_cast<float>(value);
  }
  return out.to(logits.device());
}

}  // namespace

torch::Tensor fill_holes(const torch::Tensor& logits, int max_area, double threshold,
                         double value) {
  return replace_small_regions(logits, max_area, value,
                               [threshold](float logit) { return logit <= threshold; });
}

torch::Tensor remove_sprinkles(const torch::Tensor& logits, int max_area, double threshold,
                               double value) {
  return replace_small_regions(logits, max_area, value,
                               [threshold](float logit) { return logit > threshold; });
}

torch::Tensor without_overlaps(const torch::Tensor& logits) {
  if (logits.size(0) < 2) return logits;
  auto winner = logits.argmax(0, /*keepdim=*/true);
  auto own = torch::arange(logits.size(0), winner.options()).view({-1, 1, 1, 1});
  return torch::where(winner == own, logits, logits.clamp_max(-10.0));
}

}  // namespace vostrack::tracker
