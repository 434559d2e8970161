#include "nn/picture_resize.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/check.hpp"

namespace vostrack::nn {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr double kSupport = 2.0;

/// Keys' cubic with a = −0.5.
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

/// For each output position, which inputs count and how much, in fixed point.
struct Kernel {
  struct Window {
    int first, count;
  };
  std::vector<Window> windows;
  std::vector<std::int32_t> weights;  ///< `stride` for each output position
  int stride = 0;

  Kernel(int in, int out) {
    const double scale = static_cast<double>(in) / out;
    const double filter_scale = std::max(scale, 1.0);
    const double support = kSupport * filter_scale;
    const double step = 1.0 / filter_scale;
    stride = static_cast<int>(std::ceil(support)) * 2 + 1;
    windows.resize(out);
    weights.assign(static_cast<std::size_t>(out) * stride, 0);
    std::vector<double> exact(stride);
    for (int i = 0; i < out; ++i) {
      const double centre = (i + 0.5) * scale;
      const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
      const int last = std::min(static_cast<int>(centre + support + 0.5), in);
      double sum = 0;
      for (int x = first; x < last; ++x) {
        exact[x - first] = bicubic((x - centre + 0.5) * step);
        sum += exact[x - first];
      }
      for (int k = 0; k < last - first; ++k) {
        const double share = sum != 0 ? exact[k] * (1.0 / sum) : exact[k];
        const double weight = share * (1 << kPrecisionBits);
        weights[static_cast<std::size_t>(i) * stride + k] =
            static_cast<std::int32_t>(weight < 0 ? weight - 0.5 : weight + 0.5);
      }
      windows[i] = {first, last - first};
    }
  }
};

std::uint8_t to_byte(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

}  // namespace

torch::Tensor pil_bicubic_resize(const torch::Tensor& picture, int height, int width) {
  VOSTRACK_ASSERT(picture.dim() == 3 && picture.size(2) == 3 &&
                  picture.scalar_type() == torch::kUInt8);
  auto current = picture.contiguous();
  if (current.size(1) != width) {
    const auto rows = current.size(0);
    const Kernel kernel(static_cast<int>(current.size(1)), width);
    auto out = torch::empty({rows, width, 3}, torch::kUInt8);
    for (std::int64_t y = 0; y < rows; ++y) {
      const std::uint8_t* in_row = current.const_data_ptr<std::uint8_t>() + y * current.size(1) * 3;
      std::uint8_t* out_row = out.data_ptr<std::uint8_t>() + y * width * 3;
      for (int x = 0; x < width; ++x) {
        const auto [first, count] = kernel.windows[x];
        const std::int32_t* weights = &kernel.weights[static_cast<std::size_t>(x) * kernel.stride];
        std::int32_t sum[3] = {kHalf, kHalf, kHalf};
        for (int k = 0; k < count; ++k)
          for (int c = 0; c < 3; ++c) sum[c] += in_row[(first + k) * 3 + c] * weights[k];
        for (int c = 0; c < 3; ++c) out_row[x * 3 + c] = to_byte(sum[c]);
      }
    }
    current = out;
  }
  if (current.size(0) != height) {
    const Kernel kernel(static_cast<int>(current.size(0)), height);
    const std::int64_t row = current.size(1) * 3;
    auto out = torch::empty({height, current.size(1), 3}, torch::kUInt8);
    const std::uint8_t* in = current.const_data_ptr<std::uint8_t>();
    std::vector<std::int32_t> sums(row);
    for (int y = 0; y < height; ++y) {
      const auto [first, count] = kernel.windows[y];
      std::fill(sums.begin(), sums.end(), kHalf);
      for (int k = 0; k < count; ++k) {
        const std::int32_t weight = kernel.weights[static_cast<std::size_t>(y) * kernel.stride + k];
        const std::uint8_t* in_row = in + (first + k) * row;
        for (std::int64_t x = 0; x < row; ++x) sums[x] += in_row[x] * weight;
      }
      std::uint8_t* out_row = out.data_ptr<std::uint8_t>() + y * row;
      for (std::int64_t x = 0; x < row; ++x) out_row[x] = to_byte(sums[x]);
    }
    current = out;
  }
  return current;
}

}  // namespace vostrack::nn
