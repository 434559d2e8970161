#include "nn/norm.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "nn/parallel.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

/// Numbers that are worth a thread.
constexpr std::int64_t kShare = 16384;

template <class Element>
void norm_rows_of(NormRows<Element> kernel, const torch::Tensor& x, std::int64_t channels,
                  const torch::Tensor& weight, const torch::Tensor& bias, float eps, bool gelu,
                  torch::Tensor& out) {
  const torch::Tensor weights = weight.to(torch::kFloat32), biases = bias.to(torch::kFloat32);
  const auto *w = static_cast<const float*>(weights.const_data_ptr()),
             *b = static_cast<const float*>(biases.const_data_ptr());
  const auto* from = static_cast<const Element*>(x.const_data_ptr());
  auto* to = static_cast<Element*>(out.data_ptr());
  // Parts of whole vectors and whole rows, large enough to be worth a thread.
  const std::int64_t part = std::max<std::int64_t>(channels, 16);
  at::parallel_for(0, x.numel() / part, std::max<std::int64_t>(1, kShare / part),
                   [&](std::int64_t first, std::int64_t last) {
                     kernel(from + first * part, (last - first) * part / channels, channels, w, b,
                            eps, gelu, to + first * part);
                   });
}

}  // namespace

std::span<const NormKernels> norm_variants() {
  static const auto variants = [] {
    std::vector<NormKernels> found;
#ifdef VOSTRACK_X86_KERNELS
    if (has_avx512()) found.push_back(kNormAvx512);
    if (has_avx2()) found.push_back(kNormAvx2);
#endif
    return found;
  }();
  return variants;
}

bool fits_norm_kernel(const torch::Tensor& x, std::int64_t channels) {
  const auto dtype = x.scalar_type();
  return !norm_variants().empty() && x.is_cpu() &&
         (dtype == torch::kFloat32 || dtype == torch::kBFloat16) && takes_channels(channels) &&
         x.numel() % 16 == 0 && !torch::GradMode::is_enabled();
}

void norm_rows(const torch::Tensor& x, std::int64_t channels, const torch::Tensor& weight,
               const torch::Tensor& bias, float eps, bool gelu, torch::Tensor& out) {
  const NormKernels& kernels = norm_variants().front();
  if (x.scalar_type() == torch::kFloat32)
    norm_rows_of(kernels.float32, x, channels, weight, bias, eps, gelu, out);
  else
    norm_rows_of(kernels.bfloat16, x, channels, weight, bias, eps, gelu, out);
}

}  // namespace vostrack::nn
