#include "nn/depthwise.hpp"

#include <ATen/autocast_mode.h>
#include <torch/autograd.h>

#include <vector>

#include "base/check.hpp"
#include "nn/padded_convolution.hpp"
#include "nn/parallel.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

constexpr auto kLast = torch::MemoryFormat::ChannelsLast;

template <class Element>
Element* data(const torch::Tensor& tensor) {
  return static_cast<Element*>(tensor.data_ptr());
}

/// Calls `work(kernel, element)` for what a tensor is made of.
template <class Work>
void with_kernel(const DepthwiseKernels& kernels, torch::ScalarType dtype, const Work& work) {
  if (dtype == torch::kBFloat16)
    work(kernels.bfloat16, std::uint16_t());
  else
    work(kernels.float32, float());
}

torch::Tensor gradient_of_input(const DepthwiseKernels& kernels, const DepthwiseShape& shape,
                                const torch::Tensor& x, const torch::Tensor& weight,
                                const torch::Tensor& gradient) {
  const auto taps = weight.flatten(1).t().to(torch::kFloat32).contiguous();  // (k², C)
  auto out = torch::empty_like(x);
  with_kernel(kernels, x.scalar_type(), [&](const auto& kernel, auto element) {
    using Element = decltype(element);
    at::parallel_for(0, x.size(0) * shape.height, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) {
        const auto picture = i / shape.height;
        kernel.of_input(shape, data<Element>(gradient) + picture * gradient.stride(0),
                        data<float>(taps), i % shape.height,
                        data<Element>(out) + picture * out.stride(0));
      }
    });
  });
  return out;
}

/// @return (k² + 1, C): of the weights and, last, of the bias
torch::Tensor gradient_of_weight(const DepthwiseKernels& kernels, const DepthwiseShape& shape,
                                 const torch::Tensor& x, const torch::Tensor& gradient) {
  const auto taps = shape.kernel * shape.kernel;
  // Apart for each picture: how many threads share them must not change a sum.
  auto apart = torch::empty({x.size(0), taps + 1, shape.channels}, torch::kFloat32);
  const auto blocks = at::divup(shape.channels, kDepthwiseBlock);
  with_kernel(kernels, x.scalar_type(), [&](const auto& kernel, auto element) {
    using Element = decltype(element);
    at::parallel_for(0, x.size(0) * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) {
        const auto picture = i / blocks;
        auto* to = data<float>(apart) + picture * apart.stride(0);
        kernel.of_weight(shape, data<Element>(x) + picture * x.stride(0),
                         data<Element>(gradient) + picture * gradient.stride(0),
                         i % blocks * kDepthwiseBlock, to, to + taps * shape.channels);
      }
    });
  });
  return apart.sum(0);
}

class Depthwise : public torch::autograd::Function<Depthwise> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               std::int64_t stride, std::int64_t before, std::int64_t after,
                               std::size_t variant) {
    const auto input = x.contiguous(kLast);
    const auto rounded = weight.to(x.scalar_type());
    auto out = padded_convolution(input, rounded, bias.to(x.scalar_type()), stride, before, after,
                                  x.size(1));
    context->save_for_backward({input, rounded});
    context->saved_data["stride"] = stride;
    context->saved_data["before"] = before;
    context->saved_data["variant"] = static_cast<std::int64_t>(variant);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1];
    auto& data = context->saved_data;
    const auto gradient = gradients[0].to(input.scalar_type()).contiguous(kLast);
    const auto side = weight.size(2);
    const DepthwiseShape shape{input.size(2),
                               input.size(3),
                               gradient.size(2),
                               gradient.size(3),
                               input.size(1),
                               side,
                               data["stride"].toInt(),
                               data["before"].toInt()};
    const auto& kernels = depthwise_variants()[static_cast<std::size_t>(data["variant"].toInt())];

    torch::Tensor of_input, of_weight, of_bias;
    if (context->needs_input_grad(0))
      of_input = gradient_of_input(kernels, shape, input, weight, gradient);
    if (context->needs_input_grad(1) || context->needs_input_grad(2)) {
      const auto both = gradient_of_weight(kernels, shape, input, gradient);
      of_weight = both.slice(0, 0, side * side).t().reshape(weight.sizes());
      of_bias = both[side * side];
    }
    return {of_input, of_weight, of_bias, {}, {}, {}, {}};
  }
};

}  // namespace

bool fits_depthwise(const torch::Tensor& x, const torch::Tensor& weight, std::int64_t stride) {
  const auto dtype = x.scalar_type();
  const auto side = weight.size(2);
  return x.is_cpu() && (dtype == torch::kFloat32 || dtype == torch::kBFloat16) &&
         weight.scalar_type() == torch::kFloat32 && weight.size(0) == x.size(1) &&
         weight.size(1) == 1 && side <= kDepthwiseSide && (side > 3 || stride > 1) &&
         x.size(1) % kDepthwiseMultiple == 0;
}

torch::Tensor depthwise_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& bias, std::int64_t stride,
                                    std::int64_t before, std::int64_t after, std::size_t variant) {
  VOSTRACK_ASSERT(fits_depthwise(x, weight, stride) && variant < depthwise_variants().size());
  const auto mixed = at::autocast::is_autocast_enabled(torch::kCPU);
  return Depthwise::apply(mixed ? x.to(at::autocast::get_autocast_dtype(torch::kCPU)) : x, weight,
                          bias, stride, before, after, variant);
}

std::span<const DepthwiseKernels> depthwise_variants() {
  static const auto variants = [] {
    std::vector<DepthwiseKernels> found;
#ifdef VOSTRACK_X86_KERNELS
    if (has_avx512()) found.push_back(kDepthwiseAvx512);
    if (has_avx2()) found.push_back(kDepthwiseAvx2);
#endif
    found.push_back(kDepthwisePortable);
    return found;
  }();
  return variants;
}

}  // namespace vostrack::nn
