#include "nn/layers.hpp"

#include <ATen/autocast_mode.h>

namespace vostrack::nn {

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
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) x = layers_[i]->forward(x, activation_);
  x = layers_.back()->forward(x);
  return sigmoid_output_ ? torch::sigmoid(x) : x;
}

LayerNorm2dImpl::LayerNorm2dImpl(int channels)
    : weight(register_parameter("weight", torch::ones(channels))),
      bias(register_parameter("bias", torch::zeros(channels))) {}

torch::Tensor LayerNorm2dImpl::forward(const torch::Tensor& x) {
  return torch::layer_norm(x.permute({0, 2, 3, 1}), {x.size(1)}, weight, bias, 1e-6)
      .permute({0, 3, 1, 2});
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

torch::Tensor Conv2dImpl::forward(const torch::Tensor& x) {
  if (!x.is_cuda() || !torch::GradMode::is_enabled()) return torch::nn::Conv2dImpl::forward(x);
  if (options.groups() > 1) return torch::nn::Conv2dImpl::forward(x.contiguous());
  if (options.kernel_size()->at(0) > 1 || options.stride()->at(0) > 1)
    return torch::nn::Conv2dImpl::forward(x);
  const auto out = pointwise_convolution(x, weight);
  return bias.defined() ? out + bias.view({1, -1, 1, 1}) : out;
}

Conv2d conv2d(int in, int out, int kernel, int stride, int padding, int groups, bool bias) {
  return Conv2d(torch::nn::Conv2dOptions(in, out, kernel)
                    .stride(stride)
                    .padding(padding)
                    .groups(groups)
                    .bias(bias));
}

torch::nn::LayerNorm layer_norm(int channels, double eps) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels}).eps(eps));
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
