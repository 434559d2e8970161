/// Depthwise convolutions for training on CPUs.
#pragma once

#include <torch/types.h>

#include <span>

#include "nn/depthwise_kernel.hpp"

namespace vostrack::nn {

/// How a depthwise convolution goes over its input.
struct DepthwisePlan {
  std::int64_t stride = 1;
  std::int64_t before = 0, after = 0;  ///< zeros above and on the left, below and on the right
  double most = 0;                     ///< the output is bounded to 0 to this, where it is above 0
};

/// Whether depthwise_convolution takes these.
bool fits_depthwise(const torch::Tensor& x, const torch::Tensor& weight);

/// Convolves each channel with its own kernel, adds a bias and bounds the result, in one pass; the
/// gradients, once each, are several times as fast as LibTorch's. They do not depend on the number
/// of threads.
///
/// @param x  (B, C, H, W) float32 or bfloat16, on a CPU; C is a multiple of 16. In mixed precision
///     float32 is rounded first
/// @param weight  (C, 1, k, k) float32, k ≤ 7
/// @param bias  (C) float32
/// @param variant  which of depthwise_variants()
/// @return (B, C, H', W') as x, channels last in memory; sums are float32
torch::Tensor depthwise_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& bias, const DepthwisePlan& plan,
                                    std::size_t variant = 0);

/// Kernels that this processor can run, the fastest first; they differ in the order of their sums.
std::span<const DepthwiseKernels> depthwise_variants();

}  // namespace vostrack::nn
