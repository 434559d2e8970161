#include "nn/packed_convolution.hpp"

#include <array>

#include "nn/onednn.hpp"

namespace vostrack::nn {
namespace {

using PackOp = at::Tensor(const at::Tensor&, c10::SymIntArrayRef, c10::SymIntArrayRef,
                          c10::SymIntArrayRef, std::int64_t, at::OptionalSymIntArrayRef);
using RunOp = at::Tensor(const at::Tensor&, const at::Tensor&, const std::optional<at::Tensor>&,
                         c10::SymIntArrayRef, c10::SymIntArrayRef, c10::SymIntArrayRef, c10::SymInt,
                         std::string_view, OneDnnScalars, std::optional<std::string_view>);

const auto& pack_operator() {
  static const auto found = find_operator<PackOp>("mkldnn::_reorder_convolution_weight");
  return found;
}

const auto& run_operator() {
  static const auto found = find_operator<RunOp>("mkldnn::_convolution_pointwise");
  return found;
}

std::array<c10::SymInt, 2> both(std::int64_t value) {
  return {c10::SymInt(value), c10::SymInt(value)};
}

}  // namespace

PackedConvolution::PackedConvolution(const torch::Tensor& weight, const torch::Tensor& bias,
                                     std::int64_t stride, std::int64_t padding, std::int64_t groups,
                                     Then then, std::int64_t side)
    : weight_(weight.contiguous(torch::MemoryFormat::ChannelsLast)),
      bias_(bias),
      stride_(stride),
      padding_(padding),
      groups_(groups),
      then_(then) {
  if (!has_onednn(weight) || !pack_operator() || !run_operator()) return;
  torch::NoGradGuard no_grad;
  try {
    const std::array<c10::SymInt, 4> input{c10::SymInt(1), c10::SymInt(weight.size(1) * groups),
                                           c10::SymInt(side), c10::SymInt(side)};
    packed_ = pack_operator()->call(weight_, both(padding), both(stride), both(1), groups,
                                    at::OptionalSymIntArrayRef(input));
    // Only running it tells whether this processor takes it.
    packed(torch::zeros({1, weight.size(1) * groups, side, side}, weight.options())
               .contiguous(torch::MemoryFormat::ChannelsLast));
  } catch (const c10::Error&) {
    packed_ = torch::Tensor();
  }
}

torch::Tensor PackedConvolution::packed(const torch::Tensor& x) const {
  const bool clamped = then_ == Then::kRelu6;
  OneDnnScalars range;
  if (clamped) {
    range.push_back(std::optional<at::Scalar>(0.0));
    range.push_back(std::optional<at::Scalar>(6.0));
  }
  return run_operator()->call(x, packed_, bias_, both(padding_), both(stride_), both(1),
                              c10::SymInt(groups_), clamped ? "hardtanh" : "none", range, "");
}

torch::Tensor PackedConvolution::operator()(const torch::Tensor& x) const {
  if (packed_.defined() && !torch::GradMode::is_enabled()) return packed(x);
  auto out = torch::conv2d(x, weight_, bias_, stride_, padding_, 1, groups_);
  return then_ == Then::kRelu6 ? torch::relu6(out) : out;
}

}  // namespace vostrack::nn
