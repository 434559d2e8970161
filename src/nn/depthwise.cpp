#include "nn/depthwise.hpp"

#include <ATen/autocast_mode.h>
#include <torch/autograd.h>

#include <vector>

#include "base/check.hpp"
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

void convolve(const DepthwiseKernels& kernels, const DepthwiseShape& shape, const torch::Tensor& x,
              const torch::Tensor& weight, const torch::Tensor& bias, double most,
              torch::Tensor& out) {
  with_kernel(kernels, x.scalar_type(), [&](const auto& kernel, auto element) {
    using Element = decltype(element);
    at::parallel_for(0, x.size(0) * shape.out_height, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) {
        const auto picture = i / shape.out_height;
        kernel.forward(shape, data<Element>(x) + picture * x.stride(0), data<float>(weight),
                       data<float>(bias), static_cast<float>(most), i % shape.out_height,
                       data<Element>(out) + picture * out.stride(0));
      }
    });
  });
}

torch::Tensor gradient_of_input(const DepthwiseKernels& kernels, const DepthwiseShape& shape,
                                const torch::Tensor& x, const torch::Tensor& weight,
                                const torch::Tensor& gradient) {
  auto out = torch::empty_like(x);
  with_kernel(kernels, x.scalar_type(), [&](const auto& kernel, auto element) {
    using Element = decltype(element);
    at::parallel_for(0, x.size(0) * shape.height, 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = begin; i < end; ++i) {
        const auto picture = i / shape.height;
        kernel.input_gradient(shape, data<Element>(gradient) + picture * gradient.stride(0),
                              data<float>(weight), i % shape.height,
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
        kernel.weight_gradient(shape, data<Element>(x) + picture * x.stride(0),
                               data<Element>(gradient) + picture * gradient.stride(0),
                               i % blocks * kDepthwiseBlock, to, to + taps * shape.channels);
      }
    });
  });
  return apart.sum(0);
}

/// (C, 1, k, k) → (k², C)
torch::Tensor by_taps(const torch::Tensor& weight) {
  return weight.detach().flatten(1).t().contiguous();
}

DepthwiseShape shape_of(const torch::Tensor& x, const torch::Tensor& out, std::int64_t kernel,
                        std::int64_t stride, std::int64_t before) {
  return {x.size(2), x.size(3), out.size(2), out.size(3), x.size(1), kernel, stride, before};
}

class Depthwise : public torch::autograd::Function<Depthwise> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, const torch::Tensor& bias,
                               const DepthwisePlan& plan, std::size_t variant) {
    const auto input = x.contiguous(kLast);
    const auto side = weight.size(2);
    const auto reach = [&](std::int64_t size) {
      return (size + plan.before + plan.after - side) / plan.stride + 1;
    };
    auto out = torch::empty({x.size(0), x.size(1), reach(x.size(2)), reach(x.size(3))},
                            x.options().memory_format(kLast));
    convolve(depthwise_variants()[variant], shape_of(input, out, side, plan.stride, plan.before),
             input, by_taps(weight), bias.contiguous(), plan.most, out);
    context->save_for_backward({input, weight, out});
    context->saved_data["stride"] = plan.stride;
    context->saved_data["before"] = plan.before;
    context->saved_data["most"] = plan.most;
    context->saved_data["variant"] = static_cast<std::int64_t>(variant);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &input = saved[0], &weight = saved[1], &out = saved[2];
    auto& data = context->saved_data;
    const auto side = weight.size(2);
    const auto shape =
        shape_of(input, out, side, data["stride"].toInt(), data["before"].toInt());
    const auto& kernels = depthwise_variants()[static_cast<std::size_t>(data["variant"].toInt())];
    const auto most = data["most"].toDouble();
    auto gradient = gradients[0].to(input.scalar_type()).contiguous(kLast);
    if (most > 0) gradient = at::hardtanh_backward(gradient, out, 0, most).contiguous(kLast);

    torch::Tensor of_input, of_weight, of_bias;
    if (context->needs_input_grad(0))
      of_input = gradient_of_input(kernels, shape, input, by_taps(weight), gradient);
    if (context->needs_input_grad(1) || context->needs_input_grad(2)) {
      const auto both = gradient_of_weight(kernels, shape, input, gradient);
      of_weight = both.slice(0, 0, side * side).t().reshape(weight.sizes());
      of_bias = both[side * side];
    }
    return {of_input, of_weight, of_bias, {}, {}};
  }
};

}  // namespace

bool fits_depthwise(const torch::Tensor& x, const torch::Tensor& weight) {
  const auto dtype = x.scalar_type();
  return x.is_cpu() && (dtype == torch::kFloat32 || dtype == torch::kBFloat16) &&
         weight.scalar_type() == torch::kFloat32 && weight.size(0) == x.size(1) &&
         weight.size(1) == 1 && weight.size(2) <= kDepthwiseSide &&
         x.size(1) % kDepthwiseMultiple == 0;
}

torch::Tensor depthwise_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& bias, const DepthwisePlan& plan,
                                    std::size_t variant) {
  VOSTRACK_ASSERT(fits_depthwise(x, weight) && variant < depthwise_variants().size());
  const auto mixed = at::autocast::is_autocast_enabled(torch::kCPU);
  return Depthwise::apply(mixed ? x.to(at::autocast::get_autocast_dtype(torch::kCPU)) : x, weight,
                          bias, plan, variant);
}

std::span<const DepthwiseKernels> depthwise_variants() {
  static const auto variants = [] {
    std::vector<DepthwiseKernels> found;
#ifdef VOSTRACK_X86_KERNELS
    if (has_avx512()) found.push_back(kDepthwiseAvx512);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      found.push_back(kDepthwiseAvx2);
#endif
    found.push_back(kDepthwisePortable);
    return found;
  }();
  return variants;
}

}  // namespace vostrack::nn
