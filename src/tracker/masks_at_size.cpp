#include "tracker/masks_at_size.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.hpp"

namespace vostrack::tracker {
namespace {

/// One axis of a bilinear resize: each output lies between two inputs.
struct Axis {
  struct Between {
    int first, second;
    float first_weight, second_weight;
  };
  std::vector<Between> outputs;

  /// Source: LibTorch's upsample_bilinear2d without aligned corners
  Axis(int inputs, int count) {
    const float ratio = static_cast<float>(inputs) / static_cast<float>(count);
    for (int i = 0; i < count; ++i) {
      const float at = std::max(0.0F, ratio * (static_cast<float>(i) + 0.5F) - 0.5F);
      const int first = std::min(static_cast<int>(at), inputs - 1);
      const float weight = std::clamp(at - static_cast<float>(first), 0.0F, 1.0F);
      outputs.push_back({first, std::min(first + 1, inputs - 1), 1 - weight, weight});
    }
  }

  /// Outputs begin ≤ i < end that lie beside an input first ≤ j ≤ last.
  std::pair<int, int> reach(int first, int last) const {
    const auto begin = std::partition_point(outputs.begin(), outputs.end(),
                                            [&](const Between& o) { return o.second < first; });
    const auto end = std::partition_point(begin, outputs.end(),
                                          [&](const Between& o) { return o.first <= last; });
    return {static_cast<int>(begin - outputs.begin()), static_cast<int>(end - outputs.begin())};
  }
};

/// The rows of one object's logits at the video's size, where they can be above a threshold.
class Rows {
 public:
  /// @param plane  (h, w) of the axes' inputs
  Rows(const float* plane, int height, int width, const Axis& down, const Axis& across,
       float threshold)
      : plane_(plane), width_(width), down_(down), across_(across) {
    int top = height, bottom = -1, left = width, right = -1;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        if (plane[y * width + x] > threshold) {
          top = std::min(top, y);
          bottom = y;
          left = std::min(left, x);
          right = std::max(right, x);
        }
    std::tie(y0, y1) = down.reach(top, bottom);
    std::tie(x0, x1) = across.reach(left, right);
    for (auto& row : wide_) row.resize(static_cast<std::size_t>(x1 - x0));
    line_.resize(static_cast<std::size_t>(x1 - x0));
  }

  /// The logits of columns x0 ≤ x < x1 of row y, y0 ≤ y < y1, which rises from call to call.
  const float* row(int y) {
    const auto& [first, second, first_weight, second_weight] =
        down_.outputs[static_cast<std::size_t>(y)];
    const float* above = widened(first);
    const float* below = widened(second);
    for (std::size_t x = 0; x < line_.size(); ++x)
      line_[x] = above[x] * first_weight + below[x] * second_weight;
    return line_.data();
  }

  int y0 = 0, y1 = 0, x0 = 0, x1 = 0;

 private:
  /// An input row at the video's width. Of neighbouring rows neither takes the other's place.
  const float* widened(int input) {
    const auto slot = static_cast<std::size_t>(input % 2);
    auto& wide = wide_[slot];
    if (held_[slot] != input) {
      held_[slot] = input;
      const float* from = plane_ + static_cast<std::ptrdiff_t>(input) * width_;
      for (std::size_t i = 0; i < wide.size(); ++i) {
        const auto& at = across_.outputs[static_cast<std::size_t>(x0) + i];
        wide[i] = from[at.first] * at.first_weight + from[at.second] * at.second_weight;
      }
    }
    return wide.data();
  }

  const float* plane_;
  int width_;
  const Axis &down_, &across_;
  std::vector<float> wide_[2], line_;
  int held_[2] = {-1, -1};
};

torch::Tensor plane_of(const torch::Tensor& logits) {
  VOSTRACK_ASSERT(logits.dim() == 4 && logits.size(0) == 1 && logits.size(1) == 1);
  return logits.to(torch::kCPU, torch::kFloat32).contiguous();
}

}  // namespace

Mask mask_at_size(const torch::Tensor& logits, int height, int width, float threshold) {
  torch::InferenceMode guard;
  const auto plane = plane_of(logits);
  const auto h = static_cast<int>(plane.size(2)), w = static_cast<int>(plane.size(3));
  const Axis down(h, height), across(w, width);
  Rows rows(plane.const_data_ptr<float>(), h, w, down, across, threshold);
  Mask mask{height, width,
            std::vector<std::uint8_t>(static_cast<std::size_t>(height) *
                                      static_cast<std::size_t>(width))};
  for (int y = rows.y0; y < rows.y1; ++y) {
    const float* row = rows.row(y);
    std::uint8_t* out = mask.data.data() + static_cast<std::ptrdiff_t>(y) * width + rows.x0;
    for (int i = 0; i < rows.x1 - rows.x0; ++i) out[i] = row[i] > threshold;
  }
  return mask;
}

std::vector<std::uint16_t> labels_at_size(std::span<const torch::Tensor> logits, int height,
                                          int width) {
  torch::InferenceMode guard;
  check(logits.size() <= std::numeric_limits<std::uint16_t>::max(), ErrorCode::kInvalidArgument,
        "{} objects, want at most 65535 in a label image", logits.size());
  const auto pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  std::vector<std::uint16_t> labels(pixels);
  std::vector<float> highest(pixels);
  for (std::size_t n = 0; n < logits.size(); ++n) {
    if (!logits[n].defined()) continue;
    const auto plane = plane_of(logits[n]);
    const auto h = static_cast<int>(plane.size(2)), w = static_cast<int>(plane.size(3));
    const Axis down(h, height), across(w, width);
    Rows rows(plane.const_data_ptr<float>(), h, w, down, across, /*threshold=*/0);
    const auto label = static_cast<std::uint16_t>(n + 1);
    for (int y = rows.y0; y < rows.y1; ++y) {
      const float* row = rows.row(y);
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(y) * width + rows.x0;
      float* best = highest.data() + at;
      std::uint16_t* out = labels.data() + at;
      for (int i = 0; i < rows.x1 - rows.x0; ++i) {
        const bool more = row[i] > best[i];
        best[i] = more ? row[i] : best[i];
        out[i] = more ? label : out[i];
      }
    }
  }
  return labels;
}

}  // namespace vostrack::tracker
