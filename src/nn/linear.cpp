#include "nn/linear.hpp"

#include "nn/blocked_linear.hpp"
#include "nn/int8_linear.hpp"
#include "nn/onednn.hpp"

namespace vostrack::nn {
namespace {

/// Fewer rows than this are not worth the overhead, nor the other order of summation.
constexpr std::int64_t kFewRows = 32;
/// Rows that the packed order is chosen for.
constexpr std::int64_t kTypicalRows = 4096;

using PackOp = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>);
using RunOp = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                         std::string_view, OneDnnScalars, std::optional<std::string_view>);

const auto& pack_operator() {
  static const auto found = find_operator<PackOp>("mkldnn::_reorder_linear_weight");
  return found;
}

const auto& run_operator() {
  static const auto found = find_operator<RunOp>("mkldnn::_linear_pointwise");
  return found;
}

Int8Then int8_then(Activation activation) {
  return activation == Activation::kRelu ? Int8Then::kRelu : Int8Then::kGelu;
}

bool has_many_rows(const torch::Tensor& x) {
  return x.numel() >= kFewRows * x.size(-1);
}

template <class Call>
void for_linear_layers(torch::nn::Module& network, const Call& call) {
  for (const auto& module : network.modules())
    if (auto* linear = dynamic_cast<LinearImpl*>(module.get())) call(*linear);
}

}  // namespace

torch::Tensor activate(const torch::Tensor& x, Activation activation) {
  return activation == Activation::kRelu ? torch::relu(x) : torch::gelu(x);
}

bool LinearImpl::takes(const torch::Tensor& x) const {
  return (packed_.defined() || blocked_) && !torch::GradMode::is_enabled() &&
         x.scalar_type() == weight.scalar_type() && (!keeps_plain_weight() || has_many_rows(x));
}

bool LinearImpl::takes_int8(const torch::Tensor& x) const {
  return int8_ != nullptr && !torch::GradMode::is_enabled() &&
         (!keeps_plain_weight() || has_many_rows(x));
}

torch::Tensor LinearImpl::run_onednn(const torch::Tensor& x, const char* activation) const {
  return run_operator()->call(x, packed_, bias.defined() ? std::optional(bias) : std::nullopt,
                              activation, OneDnnScalars(), "none");
}

torch::Tensor LinearImpl::forward(const torch::Tensor& x) {
  if (takes_int8(x)) return int8_->forward(x, Int8Then::kNothing);
  if (!takes(x)) return torch::linear(x, weight, bias);
  return blocked_ ? blocked_->forward(x, std::nullopt) : run_onednn(x, "none");
}

torch::Tensor LinearImpl::forward(const torch::Tensor& x, Activation activation) {
  if (takes_int8(x)) return int8_->forward(x, int8_then(activation));
  if (!takes(x)) return activate(torch::linear(x, weight, bias), activation);
  if (blocked_) return blocked_->forward(x, activation);
  return run_onednn(x, activation == Activation::kRelu ? "relu" : "gelu");
}

torch::Tensor LinearImpl::forward_both(const torch::Tensor& x, Activation activation,
                                       LinearImpl& second) {
  if (takes_int8(x) && second.int8_)
    return Int8Linear::forward_both(x, *int8_, int8_then(activation), *second.int8_);
  if (takes(x) && blocked_ && second.blocked_)
    return BlockedLinear::forward_both(x, *blocked_, activation, *second.blocked_);
  return second.forward(forward(x, activation));
}

void LinearImpl::quantise_for_inference() {
  if (Int8Linear::fits(weight)) int8_ = std::make_shared<const Int8Linear>(weight, bias);
}

void LinearImpl::prepare_for_inference() {
  packed_ = torch::Tensor();
  blocked_ = nullptr;
  if (int8_) return;
  if (BlockedLinear::fits(weight)) {
    blocked_ = std::make_shared<const BlockedLinear>(weight, bias);
    return;
  }
  if (!has_onednn(weight) || !pack_operator() || !run_operator()) return;
  torch::NoGradGuard no_grad;
  try {
    packed_ = pack_operator()->call(weight, c10::SymInt(kTypicalRows));
    // Only running it tells whether this processor takes the dtype.
    run_onednn(torch::zeros({kFewRows, weight.size(1)}, weight.options()), "gelu");
  } catch (const c10::Error&) {
    packed_ = torch::Tensor();
  }
}

void LinearImpl::drop_plain_weight() {
  if (packed_.defined() || blocked_ || int8_) weight.set_data(torch::empty({0}, weight.options()));
}

void prepare_linear_layers(torch::nn::Module& network) {
  for_linear_layers(network, [](LinearImpl& linear) { linear.prepare_for_inference(); });
}

void quantise_linear_layers(torch::nn::Module& network) {
  for_linear_layers(network, [](LinearImpl& linear) { linear.quantise_for_inference(); });
}

void drop_plain_weights(torch::nn::Module& network) {
  for_linear_layers(network, [](LinearImpl& linear) { linear.drop_plain_weight(); });
}

}  // namespace vostrack::nn
