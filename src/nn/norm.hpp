/// Layer norm of neighbouring numbers on all threads, by kernels for this processor.
#pragma once

#include <torch/types.h>

#include <span>

#include "nn/norm_kernel.hpp"

namespace vostrack::nn {

/// The kernels that this processor can run, fastest first; none where LibTorch's are to be used.
std::span<const NormKernels> norm_variants();

/// Whether there are kernels and they take rows of so many channels of this tensor, without
/// gradients.
bool fits_norm_kernel(const torch::Tensor& x, std::int64_t channels);

/// Normalises rows of `channels` numbers as NormRows does.
///
/// @param x  contiguous, and fits_norm_kernel
/// @param out  as x
void norm_rows(const torch::Tensor& x, std::int64_t channels, const torch::Tensor& weight,
               const torch::Tensor& bias, float eps, bool gelu, torch::Tensor& out);

}  // namespace vostrack::nn
