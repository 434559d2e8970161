/// Small building blocks that several networks share.
#pragma once

#include <torch/nn.h>

#include <string>
#include <vector>

#include "nn/linear.hpp"

namespace vostrack::nn {

/// Linear layers with an activation between them, named `layers.N`.
///
/// Source: sam2/modeling/sam2_utils.py, MLP
class MlpImpl : public torch::nn::Module {
 public:
  MlpImpl(int input_dim, int hidden_dim, int output_dim, int num_layers,
          Activation activation = Activation::kRelu, bool sigmoid_output = false);
  /// (…, input_dim) → (…, output_dim)
  torch::Tensor forward(torch::Tensor x);

 private:
  std::vector<Linear> layers_;
  Activation activation_;
  bool sigmoid_output_;
};
TORCH_MODULE(Mlp);

/// Normalises the channels of (N, C, H, W) at each position.
///
/// Source: sam2/modeling/sam2_utils.py, LayerNorm2d
class LayerNorm2dImpl : public torch::nn::Module {
 public:
  explicit LayerNorm2dImpl(int channels);
  /// The result has its channels last in memory.
  torch::Tensor forward(const torch::Tensor& x) { return run(x, /*gelu=*/false); }
  /// With GELU, in one pass where the processor is known.
  torch::Tensor forward_gelu(const torch::Tensor& x) { return run(x, /*gelu=*/true); }

  torch::Tensor weight, bias;

 private:
  torch::Tensor run(const torch::Tensor& x, bool gelu);
};
TORCH_MODULE(LayerNorm2d);

/// LayerNorm2d as a chain of operations on all pixels. LibTorch's layer norm on GPUs takes a block
/// of threads for each pixel, which is mostly idle where a pixel has few channels.
///
/// @param x  (N, C, H, W) float32 or bfloat16
/// @param weight, bias  (C)
/// @return the same with channels last in memory, computed in float32 and rounded once
torch::Tensor normalise_few_channels(const torch::Tensor& x, const torch::Tensor& weight,
                                     const torch::Tensor& bias);

/// Layers under the names "0", "1", … of a Python Sequential, where some are without parameters.
template <class Layer>
Layer register_indexed(torch::nn::Module& parent, int index, Layer layer) {
  return parent.register_module(std::to_string(index), std::move(layer));
}

/// A 1×1 convolution without bias as products of matrices: (B, C, H, W) with (D, C, 1, 1) → (B, D,
/// H, W).
torch::Tensor pointwise_convolution(const torch::Tensor& x, const torch::Tensor& weight);

/// LibTorch's convolution. While training, depthwise ones have gradients of their own on CPUs; on
/// GPUs they and 1×1 convolutions avoid cuDNN, which compiles those kernels, for seconds, for every
/// new number of pictures.
///
/// @param before, after  rows and columns of zeros above and on the left, below and on the right
torch::Tensor convolution(const torch::Tensor& x, const torch::Tensor& weight,
                          const torch::Tensor& bias, std::int64_t stride, std::int64_t before,
                          std::int64_t after, std::int64_t groups);

/// A layer of `convolution`, with the same stride and padding along both axes.
class Conv2dImpl : public torch::nn::Conv2dImpl {
 public:
  using torch::nn::Conv2dImpl::Conv2dImpl;
  torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(Conv2d);

Conv2d conv2d(int in, int out, int kernel, int stride = 1, int padding = 0, int groups = 1,
              bool bias = true);

/// torch::nn::LayerNorm over the last dimension, with a kernel of its own where it fits.
class LayerNormImpl : public torch::nn::LayerNormImpl {
 public:
  explicit LayerNormImpl(int channels, double eps = 1e-5);
  torch::Tensor forward(const torch::Tensor& x);
};
TORCH_MODULE(LayerNorm);

/// (B, N, heads · C) → (B, heads, N, C)
torch::Tensor split_heads(const torch::Tensor& x, int heads);
/// (B, heads, N, C) → (B, N, heads · C)
torch::Tensor merge_heads(const torch::Tensor& x);

/// Bilinear resize without antialias (align_corners false), in float32.
torch::Tensor resize_bilinear(const torch::Tensor& x, int height, int width);
/// Bilinear resize with antialias, in float32; returns `x` itself when the size is right already.
torch::Tensor resize_bilinear_antialias(const torch::Tensor& x, int height, int width);

}  // namespace vostrack::nn
