/// Linear layers in float32 by products of our own, on CPUs with AVX2 and no AVX-512, where they
/// are faster than oneDNN's. Blocks of rows go through a layer and its activation, or through two
/// layers, while what lies between stays in the cache.
#pragma once

#include <torch/types.h>

#include <optional>

#include "nn/linear.hpp"

namespace vostrack::nn {

class BlockedLinear {
 public:
  /// Whether this processor and this weight fit: float32 on the CPU, a multiple of 16 outputs.
  static bool fits(const torch::Tensor& weight);

  /// @param weight  (out, in) that fits
  /// @param bias  (out), or undefined
  BlockedLinear(const torch::Tensor& weight, const torch::Tensor& bias);

  /// @param x  (…, in) float32 on the CPU
  /// @param then  GELU is right to 2e-7
  /// @return (…, out)
  torch::Tensor forward(const torch::Tensor& x, std::optional<Activation> then) const;
  /// second(then(first(x)))
  static torch::Tensor forward_both(const torch::Tensor& x, const BlockedLinear& first,
                                    Activation then, const BlockedLinear& second);

 private:
  /// Rows of numbers side by side.
  template <class Number>
  struct Rows {
    Number* data;
    std::int64_t row;  ///< numbers from a row to the next
    std::int64_t count;
  };

  /// out = bias + x · weight for the outputs first ≤ i < last, of which the first is out's, and the
  /// inputs from `input` on, which x begins with; beyond the first inputs, out += x · weight.
  void add(const Rows<const float>& x, std::int64_t input, std::int64_t inputs, std::int64_t first,
           std::int64_t last, const Rows<float>& out) const;
  /// All inputs of the same outputs.
  void apply(const Rows<const float>& x, std::int64_t first, std::int64_t last,
             std::optional<Activation> then, const Rows<float>& out) const;

  /// Calls `work` for blocks of rows, on all threads, with what `make` gives each thread for the
  /// rows of a block, x's rows and those of the result.
  template <class Make, class Work>
  static torch::Tensor in_blocks(const torch::Tensor& x, std::int64_t inputs, std::int64_t outputs,
                                 const Make& make, const Work& work);

  torch::Tensor data_;  ///< strips of outputs: (out / 16, in, 16)
  torch::Tensor bias_;  ///< (out)
  std::int64_t in_, out_;
};

}  // namespace vostrack::nn
