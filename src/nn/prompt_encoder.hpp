/// Clicks, boxes and masks as embeddings.
#pragma once

#include <torch/nn.h>

#include <vector>

#include "nn/layers.hpp"
#include "nn/position_encoding.hpp"

namespace vostrack::nn {

/// Labels of points, as the reference numbers them.
enum PointLabel : int {
  kPadding = -1,
  kNegative = 0,
  kPositive = 1,
  kBoxTopLeft = 2,
  kBoxBottomRight = 3,
};

/// Source: sam2/modeling/sam/prompt_encoder.py
class PromptEncoderImpl : public torch::nn::Module {
 public:
  PromptEncoderImpl(int embed_dim, int image_size, int feature_size);

  /// A padding point is added to the given ones.
  ///
  /// @param coords  (B, N, 2) float32, network pixels, x then y; the half pixel is added here
  /// @param labels  (B, N) int32, PointLabel
  /// @return (B, N + 1, C) float32
  torch::Tensor embed_points(const torch::Tensor& coords, const torch::Tensor& labels);

  /// @param mask  (B, 1, S/4, S/4) float32 logits, or undefined for none
  /// @return (B, C, S/16, S/16) float32; expanded from one column without a mask
  torch::Tensor embed_mask(const torch::Tensor& mask, std::int64_t batch);

  /// (1, C, S/16, S/16) float32; computed on each call
  torch::Tensor dense_position_encoding();

  int mask_input_size() const { return 4 * feature_size_; }

 private:
  int image_size_;
  int feature_size_;
  RandomPositionEncoding pe_layer_;
  std::vector<torch::nn::Embedding> point_embeddings_;
  torch::nn::Embedding not_a_point_embed_, no_mask_embed_;
  Conv2d mask_conv0_{nullptr}, mask_conv3_{nullptr}, mask_conv6_{nullptr};
  LayerNorm2d mask_norm1_{nullptr}, mask_norm4_{nullptr};
};
TORCH_MODULE(PromptEncoder);

}  // namespace vostrack::nn
