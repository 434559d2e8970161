/// Depthwise convolutions for training on CPUs.
#pragma once

#include <torch/types.h>

#include <span>

#include "nn/depthwise_kernel.hpp"

namespace vostrack::nn {

/// Whether depthwise_convolution takes these, and is faster than LibTorch's: that is fast where
/// kernels are 3×3 and go by single steps.
bool fits_depthwise(const torch::Tensor& x, const torch::Tensor& weight, std::int64_t stride);

/// Convolves each channel with its own kernel. Its gradients are several times as fast as
/// LibTorch's and do not depend on the number of threads.
///
/// @param x  (B, C, H, W) float32 or bfloat16, on a CPU; C is a multiple of 16. In mixed precision
///     float32 is rounded first
/// @param weight  (C, 1, k, k) float32, k ≤ 7; so are its gradients
/// @param bias  (C) float32
/// @param before, after  rows and columns of zeros above and on the left, below and on the right
/// @param variant  which of depthwise_variants()
/// @return (B, C, H', W') as x
torch::Tensor depthwise_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& bias, std::int64_t stride,
                                    std::int64_t before, std::int64_t after,
                                    std::size_t variant = 0);

/// Kernels that this processor can run, the fastest first; they differ in the order of their sums.
std::span<const DepthwiseKernels> depthwise_variants();

}  // namespace vostrack::nn
