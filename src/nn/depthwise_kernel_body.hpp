/// The loops of depthwise_kernel.hpp, for vectors of VOSTRACK_LANES floats.
#pragma once

#include "nn/depthwise_kernel.hpp"
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

/// Vectors of channels that are kept in registers.
template <int kCount>
struct Channels {
  Vec v[kCount];
};

/// Taps of a kernel that fall into a picture, first ≤ tap < end.
struct Range {
  std::int64_t first, end;
};

/// The taps that reach from place `at` of the output into an input of `size`.
inline Range taps_into(const DepthwiseShape& s, std::int64_t at, std::int64_t size) {
  const std::int64_t start = at * s.stride - s.before;
  return {start < 0 ? -start : 0, size - start < s.kernel ? size - start : s.kernel};
}

/// The taps by which place `at` of the input is seen from an output of `size`, every stride-th.
inline Range taps_from(const DepthwiseShape& s, std::int64_t at, std::int64_t size) {
  const std::int64_t reach = at + s.before;  // of tap k: output (reach - k) / stride
  const std::int64_t over = reach - (size - 1) * s.stride;
  std::int64_t first = reach % s.stride;
  if (over > first) first += (over - first + s.stride - 1) / s.stride * s.stride;
  return {first, reach < s.kernel ? reach + 1 : s.kernel};
}

/// Calls `work(first channel, zeros)` for two vectors of channels at a time, or one at the end.
template <class Work>
inline void in_blocks(std::int64_t channels, const Work& work) {
  std::int64_t c = 0;
  for (; c + 2 * kLanes <= channels; c += 2 * kLanes) work(c, Channels<2>());
  if (c < channels) work(c, Channels<1>());
}

template <class Element>
void input_gradient_row(const DepthwiseShape& s, const Element* out_gradient, const float* weight,
                        std::int64_t row, Element* gradient) {
  const Range down = taps_from(s, row, s.out_height);
  in_blocks(s.channels, [&]<int kCount>(std::int64_t c, const Channels<kCount>& zeros) {
    for (std::int64_t x = 0; x < s.width; ++x) {
      const Range along = taps_from(s, x, s.out_width);
      Channels<kCount> sum = zeros;
      for (std::int64_t ky = down.first; ky < down.end; ky += s.stride) {
        const std::int64_t y = (row + s.before - ky) / s.stride;
        const std::int64_t right = (x + s.before - along.first) / s.stride;
        const Element* from = out_gradient + (y * s.out_width + right) * s.channels + c;
        const float* by = weight + ky * s.kernel * s.channels + c;
        for (std::int64_t kx = along.first; kx < along.end; kx += s.stride, from -= s.channels)
          for (int i = 0; i < kCount; ++i)
            sum.v[i] += load(from + i * kLanes) * load(by + kx * s.channels + i * kLanes);
      }
      Element* to = gradient + (row * s.width + x) * s.channels + c;
      for (int i = 0; i < kCount; ++i) store(to + i * kLanes, sum.v[i]);
    }
  });
}

template <class Element>
void weight_gradient_block(const DepthwiseShape& s, const Element* input,
                           const Element* out_gradient, std::int64_t first, float* weight_gradient,
                           float* bias_gradient) {
  const std::int64_t count =
      s.channels - first < kDepthwiseBlock ? s.channels - first : kDepthwiseBlock;
  in_blocks(count, [&]<int kCount>(std::int64_t offset, const Channels<kCount>& zeros) {
    const std::int64_t c = first + offset;
    Channels<kCount> sums[kDepthwiseSide * kDepthwiseSide], total = zeros;
    for (std::int64_t k = 0; k < s.kernel * s.kernel; ++k) sums[k] = zeros;
    for (std::int64_t y = 0; y < s.out_height; ++y) {
      const Range down = taps_into(s, y, s.height);
      for (std::int64_t x = 0; x < s.out_width; ++x) {
        const Range along = taps_into(s, x, s.width);
        const Element* seen = out_gradient + (y * s.out_width + x) * s.channels + c;
        Channels<kCount> g;
        for (int i = 0; i < kCount; ++i) {
          g.v[i] = load(seen + i * kLanes);
          total.v[i] += g.v[i];
        }
        for (std::int64_t ky = down.first; ky < down.end; ++ky) {
          const Element* from =
              input +
              ((y * s.stride - s.before + ky) * s.width + x * s.stride - s.before) * s.channels + c;
          for (std::int64_t kx = along.first; kx < along.end; ++kx)
            for (int i = 0; i < kCount; ++i)
              sums[ky * s.kernel + kx].v[i] += g.v[i] * load(from + kx * s.channels + i * kLanes);
        }
      }
    }
    for (int i = 0; i < kCount; ++i) {
      for (std::int64_t k = 0; k < s.kernel * s.kernel; ++k)
        store(weight_gradient + k * s.channels + c + i * kLanes, sums[k].v[i]);
      store(bias_gradient + c + i * kLanes, total.v[i]);
    }
  });
}

template <class Element>
constexpr DepthwiseKernel<Element> depthwise_kernel() {
  return {input_gradient_row<Element>, weight_gradient_block<Element>};
}

}  // namespace
}  // namespace vostrack::nn
