#include "nn/blocked_linear.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "nn/matrix_kernel.hpp"
#include "nn/norm_kernel.hpp"
#include "nn/parallel.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

constexpr std::int64_t kStrip = 16;  ///< outputs of a panel of AVX2's kernels
constexpr std::int64_t kRows = 96;   ///< of a block, at most
/// Inputs whose weights for a strip stay in the first cache.
constexpr std::int64_t kInputs = 384;
/// Outputs of a block that stay in the second cache until the activation.
constexpr std::int64_t kOutputs = 384;
static_assert(kOutputs % kStrip == 0);

}  // namespace

bool BlockedLinear::fits(const torch::Tensor& weight) {
  return has_avx2() && !has_avx512() && weight.is_cpu() && weight.dim() == 2 &&
         weight.scalar_type() == torch::kFloat32 && weight.size(0) % kStrip == 0;
}

BlockedLinear::BlockedLinear(const torch::Tensor& weight, const torch::Tensor& bias)
    : in_(weight.size(1)), out_(weight.size(0)) {
  VOSTRACK_ASSERT(fits(weight));
  data_ = weight.detach().reshape({-1, kStrip, in_}).transpose(1, 2).contiguous();
  bias_ = torch::zeros({out_});
  if (bias.defined()) bias_.copy_(bias.detach());
}

void BlockedLinear::add([[maybe_unused]] const Rows<const float>& x,
                        [[maybe_unused]] std::int64_t input, [[maybe_unused]] std::int64_t inputs,
                        [[maybe_unused]] std::int64_t first, [[maybe_unused]] std::int64_t last,
                        [[maybe_unused]] const Rows<float>& out) const {
#ifdef VOSTRACK_X86_KERNELS
  kMatrixAvx2.multiply(
      x.count, last - first, inputs, x.data, x.row,
      {data_.const_data_ptr<float>() + first * in_ + input * kStrip, kStrip, kStrip * in_},
      input == 0 ? Start{bias_.const_data_ptr<float>() + first, 0} : Start{out.data, out.row},
      out.data, out.row);
#endif
}

void BlockedLinear::apply(const Rows<const float>& x, std::int64_t first, std::int64_t last,
                          std::optional<Activation> then, const Rows<float>& out) const {
  for (std::int64_t input = 0; input < in_; input += kInputs)
    add({x.data + input, x.row, x.count}, input, std::min(kInputs, in_ - input), first, last, out);
  if (!then) return;
  for (std::int64_t r = 0; r < out.count; ++r) {
    float* const row = out.data + r * out.row;
    if (*then == Activation::kRelu)
      std::transform(row, row + last - first, row, [](float v) { return v < 0 ? 0 : v; });
#ifdef VOSTRACK_X86_KERNELS
    else
      kNormAvx2.gelu(row, last - first, row);
#endif
  }
}

template <class Make, class Work>
torch::Tensor BlockedLinear::in_blocks(const torch::Tensor& x, std::int64_t inputs,
                                       std::int64_t outputs, const Make& make, const Work& work) {
  VOSTRACK_ASSERT(x.is_cpu() && x.scalar_type() == torch::kFloat32 && x.size(-1) == inputs);
  const auto in = x.contiguous();
  auto shape = x.sizes().vec();
  shape.back() = outputs;
  auto out = torch::empty(shape, x.options());
  const auto* from = in.const_data_ptr<float>();
  auto* to = out.data_ptr<float>();
  const auto rows = x.numel() / inputs, block = even_block(rows, kRows);
  share_out(
      at::divup(rows, block), [&] { return make(block); },
      [&](auto& own, std::int64_t i) {
        const auto row = i * block, count = std::min(block, rows - row);
        work(own, Rows<const float>{from + row * inputs, inputs, count},
             Rows<float>{to + row * outputs, outputs, count});
      });
  return out;
}

torch::Tensor BlockedLinear::forward(const torch::Tensor& x,
                                     std::optional<Activation> then) const {
  const auto nothing = [](std::int64_t) { return 0; };
  return in_blocks(x, in_, out_, nothing,
                   [&](int, const Rows<const float>& in, const Rows<float>& out) {
                     for (std::int64_t first = 0; first < out_; first += kOutputs)
                       apply(in, first, std::min(first + kOutputs, out_), then,
                             {out.data + first, out.row, out.count});
                   });
}

torch::Tensor BlockedLinear::forward_both(const torch::Tensor& x, const BlockedLinear& first,
                                          Activation then, const BlockedLinear& second) {
  VOSTRACK_ASSERT(first.out_ == second.in_);
  const auto between = [&](std::int64_t rows) {
    return torch::empty({rows, kOutputs}, x.options());
  };
  return in_blocks(
      x, first.in_, second.out_, between,
      [&](const torch::Tensor& wide, const Rows<const float>& in, const Rows<float>& out) {
        const Rows<float> hidden{wide.data_ptr<float>(), kOutputs, in.count};
        for (std::int64_t at = 0; at < first.out_; at += kOutputs) {
          const auto end = std::min(at + kOutputs, first.out_);
          first.apply(in, at, end, then, hidden);
          second.add({hidden.data, hidden.row, hidden.count}, at, end - at, 0, second.out_, out);
        }
      });
}

}  // namespace vostrack::nn
