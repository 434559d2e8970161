#pragma once

#include <torch/torch.h>

namespace vostrack::nn {

/// LibTorch's convolution, with a padding that may differ between the sides.
///
/// @param x  (N, C, H, W)
/// @param weight  (D, C / groups, k, k)
/// @param bias  (D), or undefined
/// @param before, after  rows and columns of zeros above and on the left, below and on the right
inline torch::Tensor padded_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                        const torch::Tensor& bias, std::int64_t stride,
                                        std::int64_t before, std::int64_t after,
                                        std::int64_t groups) {
  return before == after
             ? torch::conv2d(x, weight, bias, stride, before, 1, groups)
             : torch::conv2d(torch::constant_pad_nd(x, {before, after, before, after}), weight,
                             bias, stride, at::IntArrayRef({0, 0}), 1, groups);
}

}  // namespace vostrack::nn
