/// Convolutions whose weights no longer change.
#pragma once

#include <torch/types.h>

namespace vostrack::nn {

/// A convolution with its weight in the order that oneDNN wants for one size of input, and with its
/// activation in the same pass. Where oneDNN is not there it is the plain one.
class PackedConvolution {
 public:
  /// What follows the convolution.
  enum class Then { kNothing, kRelu6 };

  PackedConvolution() = default;
  /// @param weight  (out, in / groups, k, k), on its device and in its dtype
  /// @param bias  (out)
  /// @param side  of the square pictures that will be given
  PackedConvolution(const torch::Tensor& weight, const torch::Tensor& bias, std::int64_t stride,
                    std::int64_t padding, std::int64_t groups, Then then, std::int64_t side);

  bool defined() const { return weight_.defined(); }
  /// @param x  (B, in, H, W), best with channels last in memory
  torch::Tensor operator()(const torch::Tensor& x) const;

 private:
  torch::Tensor packed(const torch::Tensor& x) const;

  torch::Tensor weight_, bias_, packed_;
  std::int64_t stride_ = 1, padding_ = 0, groups_ = 1;
  Then then_ = Then::kNothing;
};

}  // namespace vostrack::nn
