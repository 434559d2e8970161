#include "nn/layers.hpp"

#include <ATen/autocast_mode.h>

#include <algorithm>

#include "nn/depthwise.hpp"
#include "nn/norm.hpp"
#include "nn/padded_convolution.hpp"

namespace vostrack::nn {
namespace {

/// Of LayerNorm2d, fixed in the reference.
constexpr float kEpsilon = 1e-6F;

}  // namespace

MlpImpl::MlpImpl(int input_dim, int hidden_dim, int output_dim, int num_layers,
                 Activation activation, bool sigmoid_output)
    : activation_(activation), sigmoid_output_(sigmoid_output) {
  torch::nn::ModuleList list;
  for (int i = 0; i < num_layers; ++i) {
    layers_.emplace_back(i == 0 ? input_dim : hidden_dim,
                         i == num_layers - 1 ? output_dim : hidden_dim);
    list->push_back(layers_.back());
  }
  register_module("layers", list);
}

torch::Tensor MlpImpl::forward(torch::Tensor x) {
  if (layers_.size() == 2) {
    x = layers_[0]->forward_both(x, activation_, *layers_[1]);
  } else {
    for (std::size_t i = 0; i + 1 < layers_.size(); ++i) x = layers_[i]->forward(x, activation_);
    x = layers_.back()->forward(x);
  }
  return sigmoid_output_ ? torch::sigmoid(x) : x;
}

LayerNorm2dImpl::LayerNorm2dImpl(int channels)
    : weight(register_parameter("weight", torch::ones(channels))),
      bias(register_parameter("bias", torch::zeros(channels))) {}

torch::Tensor LayerNorm2dImpl::run(const torch::Tensor& x, bool gelu) {
  constexpr std::int64_t kFewChannels = 32;
  const auto channels = x.size(1);
  if (x.is_cuda() && channels <= kFewChannels && !torch::GradMode::is_enabled()) {
    const auto out = normalise_few_channels(x, weight, bias);
    return gelu ? torch::gelu(out) : out;
  }
  const auto rows = x.permute({0, 2, 3, 1});
  if (fits_norm_kernel(x, channels)) {
    const auto in = rows.contiguous();
    auto out = torch::empty_like(in);
    norm_rows(in, channels, weight, bias, kEpsilon, gelu, out);
    return out.permute({0, 3, 1, 2});
  }
  auto out = torch::layer_norm(rows, {channels}, weight, bias, kEpsilon).permute({0, 3, 1, 2});
  return gelu ? torch::gelu(out) : out;
}

torch::Tensor normalise_few_channels(const torch::Tensor& x, const torch::Tensor& weight,
                                     const torch::Tensor& bias) {
  const auto per_channel = [](const torch::Tensor& parameter) {
    return parameter.to(torch::kFloat32).view({1, -1, 1, 1});
  };
  const auto wide = x.to(torch::kFloat32);
  const auto centred = wide - wide.mean(1, /*keepdim=*/true);
  const auto scale = (centred.square().mean(1, /*keepdim=*/true) + kEpsilon).rsqrt();
  return torch::addcmul(per_channel(bias), centred * scale, per_channel(weight))
      .to(x.options(), /*non_blocking=*/false, /*copy=*/false, at::MemoryFormat::ChannelsLast);
}

torch::Tensor pointwise_convolution(const torch::Tensor& x, const torch::Tensor& weight) {
  // In mixed precision the matrix is rounded before it stands for every picture, not after.
  const auto device = x.device().type();
  const auto matrix = at::autocast::is_autocast_enabled(device)
                          ? weight.flatten(1).to(at::autocast::get_autocast_dtype(device))
                          : weight.flatten(1);
  return torch::bmm(matrix.expand({x.size(0), -1, -1}), x.flatten(2))
      .view({x.size(0), weight.size(0), x.size(2), x.size(3)});
}

torch::Tensor convolution(const torch::Tensor& x, const torch::Tensor& weight,
                          const torch::Tensor& bias, std::int64_t stride, std::int64_t before,
                          std::int64_t after, std::int64_t groups) {
  const auto plain = [&](const torch::Tensor& input) {
    return padded_convolution(input, weight, bias, stride, before, after, groups);
  };
  if (!torch::GradMode::is_enabled()) return plain(x);
  if (groups > 1 && bias.defined() && fits_depthwise(x, weight, stride))
    return depthwise_convolution(x, weight, bias, stride, before, after);
  if (!x.is_cuda()) return plain(x);
  if (groups > 1) return plain(x.contiguous());
  if (weight.size(2) > 1 || stride > 1) return plain(x);
  const auto out = pointwise_convolution(x, weight);
  return bias.defined() ? out + bias.view({1, -1, 1, 1}) : out;
}

torch::Tensor Conv2dImpl::forward(const torch::Tensor& x) {
  const auto& padding = std::get<torch::ExpandingArray<2>>(options.padding());
  return convolution(x, weight, bias, options.stride()->at(0), padding->at(0), padding->at(0),
                     options.groups());
}

Conv2d conv2d(int in, int out, int kernel, int stride, int padding, int groups, bool bias) {
  return Conv2d(torch::nn::Conv2dOptions(in, out, kernel)
                    .stride(stride)
                    .padding(padding)
                    .groups(groups)
                    .bias(bias));
}

LayerNormImpl::LayerNormImpl(int channels, double eps)
    : torch::nn::LayerNormImpl(torch::nn::LayerNormOptions({channels}).eps(eps)) {}

torch::Tensor LayerNormImpl::forward(const torch::Tensor& x) {
  const auto channels = x.size(-1);
  if (!fits_norm_kernel(x, channels)) return torch::nn::LayerNormImpl::forward(x);
  const auto in = x.contiguous();
  auto out = torch::empty_like(in);
  norm_rows(in, channels, weight, bias, static_cast<float>(options.eps()), /*gelu=*/false, out);
  return out;
}

torch::Tensor split_heads(const torch::Tensor& x, int heads) {
  return x.reshape({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

torch::Tensor merge_heads(const torch::Tensor& x) {
  return x.transpose(1, 2).flatten(2);
}

torch::Tensor resize_bilinear(const torch::Tensor& x, int height, int width) {
  return at::upsample_bilinear2d(x.to(torch::kFloat32), {height, width}, /*align_corners=*/false);
}

torch::Tensor resize_bilinear_antialias(const torch::Tensor& x, int height, int width) {
  if (x.size(-2) == height && x.size(-1) == width) return x.to(torch::kFloat32);
  return at::_upsample_bilinear2d_aa(x.to(torch::kFloat32), {height, width},
                                     /*align_corners=*/false);
}

}  // namespace vostrack::nn
