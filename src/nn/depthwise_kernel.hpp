/// The inner loops of depthwise convolutions' gradients (depthwise.hpp), one variant for each kind
/// of processor. Plain pointers only, so that a variant's file can be compiled for its processor
/// without a line of LibTorch's headers in it.
#pragma once

#include <cstdint>

namespace vostrack::nn {

/// Channels that are worked on together, two vectors of the widest kind.
constexpr std::int64_t kDepthwiseBlock = 32;
/// What channels come in.
constexpr std::int64_t kDepthwiseMultiple = 16;
/// The widest kernel.
constexpr std::int64_t kDepthwiseSide = 7;

/// One picture, its channels last: (height, width, channels) and (out_height, out_width, channels).
struct DepthwiseShape {
  std::int64_t height, width, out_height, out_width, channels;
  std::int64_t kernel, stride;
  std::int64_t before;  ///< rows and columns of zeros above and on the left
};

/// Weights are (kernel², channels), all that is summed is float32. Element is float, or the bits of
/// a bfloat16 number.
template <class Element>
struct DepthwiseKernel {
  /// @param row  of the input, whose gradient is written
  using OfInput = void (*)(const DepthwiseShape&, const Element* out_gradient,
                           const float* weight, std::int64_t row, Element* gradient);
  /// @param first  channel of a block of kDepthwiseBlock, or of fewer at the end
  /// @param weight_gradient, bias_gradient  of this picture, where the block's part is written
  using OfWeight = void (*)(const DepthwiseShape&, const Element* input,
                            const Element* out_gradient, std::int64_t first,
                            float* weight_gradient, float* bias_gradient);
  OfInput of_input;
  OfWeight of_weight;
};

struct DepthwiseKernels {
  const char* name;
  DepthwiseKernel<float> float32;
  DepthwiseKernel<std::uint16_t> bfloat16;
};

extern const DepthwiseKernels kDepthwisePortable, kDepthwiseAvx2, kDepthwiseAvx512;

}  // namespace vostrack::nn
