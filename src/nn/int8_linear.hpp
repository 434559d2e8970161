/// Linear layers whose weights and inputs are 8-bit numbers, on CPUs with AVX-512 VNNI.
///
/// A weight has a scale for each output, its largest number over 127. An input is quantised as it
/// comes, each row for itself: from its smallest to its largest number (and 0) in 255 steps. Sums
/// are exact, so an output is off by no more than half a step of the weights times the input, and
/// half a step of the input times the weights. What comes out for a row depends on that row alone.
#pragma once

#include <torch/types.h>

#include "nn/int8_kernel.hpp"

namespace vostrack::nn {

class Int8Linear {
 public:
  /// Whether this processor has the instructions.
  static bool available();
  /// Whether inputs and outputs are multiples of 16, and inputs at most 65536.
  static bool fits(const torch::Tensor& weight);

  /// @param weight  (out, in) that fits, finite, on the CPU
  /// @param bias  (out), or undefined
  Int8Linear(const torch::Tensor& weight, const torch::Tensor& bias);

  /// @param x  (…, in) float32 or bfloat16 on the CPU, finite
  /// @param then  GELU is right to 1e-4
  /// @return (…, out) in the dtype of x
  torch::Tensor forward(const torch::Tensor& x, Int8Then then) const;
  /// second(then(first(x))); what lies between stays in the cache, in float32.
  static torch::Tensor forward_both(const torch::Tensor& x, const Int8Linear& first, Int8Then then,
                                    const Int8Linear& second);

 private:
  Int8Columns columns() const;

  torch::Tensor data_;          ///< see Int8Columns
  torch::Tensor scale_, bias_;  ///< (out) float32
  torch::Tensor sum_;           ///< (out) int32
  std::int64_t in_, out_;
};

}  // namespace vostrack::nn
