/// Linear layers that are faster once their weights no longer change.
#pragma once

#include <torch/nn.h>

#include <memory>

namespace vostrack::nn {

class BlockedLinear;
class Int8Linear;

enum class Activation { kRelu, kGelu };

torch::Tensor activate(const torch::Tensor& x, Activation activation);

/// torch::nn::Linear, with the weight once more, or only, in the order that BlockedLinear or oneDNN
/// reads, which is chosen for the processor it runs on, or in 8-bit numbers.
class LinearImpl : public torch::nn::LinearImpl {
 public:
  using torch::nn::LinearImpl::LinearImpl;

  /// (…, in) → (…, out)
  torch::Tensor forward(const torch::Tensor& x);
  /// With an activation, in one pass where the weight is packed.
  torch::Tensor forward(const torch::Tensor& x, Activation activation);

  /// Packs the weight where BlockedLinear or oneDNN is there for its dtype and device. It must not
  /// change afterwards.
  void prepare_for_inference();
  /// Makes 8-bit numbers of the weight, where they fit; Int8Linear must be available. The weight
  /// must not change afterwards, but may be converted.
  void quantise_for_inference();

  /// Gives the plain weight's memory back where one of the above has taken its place: gradients
  /// cannot flow afterwards, and few rows are no longer taken as torch::nn::Linear takes them.
  void drop_plain_weight();

  /// `second` after this one with its activation, in one pass where both are quantised or blocked.
  torch::Tensor forward_both(const torch::Tensor& x, Activation activation, LinearImpl& second);

 private:
  bool keeps_plain_weight() const { return weight.numel() > 0; }
  bool takes(const torch::Tensor& x) const;
  bool takes_int8(const torch::Tensor& x) const;
  torch::Tensor run_onednn(const torch::Tensor& x, const char* activation) const;

  torch::Tensor packed_;                          ///< oneDNN's, or undefined
  std::shared_ptr<const BlockedLinear> blocked_;  ///< or null
  std::shared_ptr<const Int8Linear> int8_;        ///< or null
};
TORCH_MODULE(Linear);

/// Calls prepare_for_inference of all linear layers below `network`.
void prepare_linear_layers(torch::nn::Module& network);
/// Calls quantise_for_inference of all linear layers below `network`.
void quantise_linear_layers(torch::nn::Module& network);
/// Calls drop_plain_weight of all linear layers below `network`.
void drop_plain_weights(torch::nn::Module& network);

}  // namespace vostrack::nn
