#include "nn/linear.hpp"

#include <algorithm>

#include "nn/int8_linear.hpp"
#include "nn/norm.hpp"
#include "nn/onednn.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

/// Fewer rows than this are not worth the overhead, nor the other order of summation.
constexpr std::int64_t kFewRows = 32;
/// Rows that the packed order is chosen for.
constexpr std::int64_t kTypicalRows = 4096;
/// Rows whose wide results, between two layers, stay in the cache.
constexpr std::int64_t kPieceRows = 2048;

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

/// oneDNN's GELU takes half as long as the product before it where there is no AVX-512.
bool has_faster_gelu(const torch::Tensor& x) {
  return x.scalar_type() == torch::kFloat32 && !has_avx512() && !norm_variants().empty();
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
  return packed_.defined() && !torch::GradMode::is_enabled() &&
         x.scalar_type() == weight.scalar_type() && (!keeps_plain_weight() || has_many_rows(x));
}

bool LinearImpl::takes_int8(const torch::Tensor& x) const {
  return int8_ != nullptr && !torch::GradMode::is_enabled() &&
         (!keeps_plain_weight() || has_many_rows(x));
}

torch::Tensor LinearImpl::run_packed(const torch::Tensor& x, const char* activation) const {
  return run_operator()->call(x, packed_, bias.defined() ? std::optional(bias) : std::nullopt,
                              activation, OneDnnScalars(), "none");
}

torch::Tensor LinearImpl::forward(const torch::Tensor& x) {
  if (takes_int8(x)) return int8_->forward(x, Int8Then::kNothing);
  return takes(x) ? run_packed(x, "none") : torch::linear(x, weight, bias);
}

torch::Tensor LinearImpl::forward(const torch::Tensor& x, Activation activation) {
  if (takes_int8(x)) return int8_->forward(x, int8_then(activation));
  if (!takes(x)) return activate(torch::linear(x, weight, bias), activation);
  if (activation == Activation::kRelu) return run_packed(x, "relu");
  if (!has_faster_gelu(x)) return run_packed(x, "gelu");
  auto out = run_packed(x, "none");
  gelu_in_place(out);
  return out;
}

torch::Tensor LinearImpl::forward_both(const torch::Tensor& x, Activation activation,
                                       LinearImpl& second) {
  if (takes_int8(x) && second.int8_)
    return Int8Linear::forward_both(x, *int8_, int8_then(activation), *second.int8_);
  const auto channels = x.size(-1), rows = x.numel() / channels;
  if (rows <= kPieceRows || !takes(x)) return second.forward(forward(x, activation));
  auto shape = x.sizes().vec();
  shape.back() = second.options.out_features();
  auto out = torch::empty({rows, shape.back()}, x.options());
  const auto flat = x.reshape({rows, channels});
  for (std::int64_t first = 0; first < rows; first += kPieceRows) {
    const auto size = std::min(kPieceRows, rows - first);
    out.narrow(0, first, size)
        .copy_(second.forward(forward(flat.narrow(0, first, size), activation)));
  }
  return out.view(shape);
}

void LinearImpl::quantise_for_inference() {
  if (Int8Linear::fits(weight)) int8_ = std::make_shared<const Int8Linear>(weight, bias);
}

void LinearImpl::prepare_for_inference() {
  packed_ = torch::Tensor();
  if (int8_ || !has_onednn(weight) || !pack_operator() || !run_operator()) return;
  torch::NoGradGuard no_grad;
  try {
    packed_ = pack_operator()->call(weight, c10::SymInt(kTypicalRows));
    // Only running it tells whether this processor takes the dtype.
    run_packed(torch::zeros({kFewRows, weight.size(1)}, weight.options()), "gelu");
  } catch (const c10::Error&) {
    packed_ = torch::Tensor();
  }
}

void LinearImpl::drop_plain_weight() {
  if (packed_.defined() || int8_) weight.set_data(torch::empty({0}, weight.options()));
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
