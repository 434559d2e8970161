/// The transformer inside the mask decoder: tokens look at the picture and the picture at tokens.
#pragma once

#include <torch/nn.h>

#include <utility>
#include <vector>

#include "nn/layers.hpp"

namespace vostrack::nn {

/// Attention with projections, possibly narrower inside.
///
/// Source: sam2/modeling/sam/transformer.py, Attention
class AttentionImpl : public torch::nn::Module {
 public:
  AttentionImpl(int embed_dim, int num_heads, int downsample_rate = 1, int key_value_dim = 0);
  /// q (B, N, C), k and v (B, M, C or key_value_dim) → (B, N, C)
  torch::Tensor forward(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v);

 protected:
  int heads_;
  int inner_dim_;
  Linear q_proj_{nullptr}, k_proj_{nullptr}, v_proj_{nullptr}, out_proj_{nullptr};
};
TORCH_MODULE(Attention);

/// Source: sam2/modeling/sam/transformer.py, TwoWayAttentionBlock
class TwoWayBlockImpl : public torch::nn::Module {
 public:
  TwoWayBlockImpl(int dim, int num_heads, int mlp_dim, bool skip_first_layer_pe);
  /// (queries, keys) → (queries, keys)
  std::pair<torch::Tensor, torch::Tensor> forward(torch::Tensor queries, torch::Tensor keys,
                                                  const torch::Tensor& query_pe,
                                                  const torch::Tensor& key_pe);

 private:
  bool skip_first_layer_pe_;
  Attention self_attn_, token_to_image_, image_to_token_;
  LayerNorm norm1_, norm2_, norm3_, norm4_;
  Mlp mlp_;
};
TORCH_MODULE(TwoWayBlock);

/// Source: sam2/modeling/sam/transformer.py, TwoWayTransformer
class TwoWayTransformerImpl : public torch::nn::Module {
 public:
  TwoWayTransformerImpl(int depth, int dim, int num_heads, int mlp_dim);
  /// @param image  (B, C, H, W)
  /// @param image_pe  (1, C, H, W)
  /// @param tokens  (B, N, C)
  /// @return tokens (B, N, C) and picture (B, H·W, C)
  std::pair<torch::Tensor, torch::Tensor> forward(const torch::Tensor& image,
                                                  const torch::Tensor& image_pe,
                                                  const torch::Tensor& tokens);

 private:
  std::vector<TwoWayBlock> layers_;
  Attention final_attn_;
  LayerNorm norm_final_;
};
TORCH_MODULE(TwoWayTransformer);

}  // namespace vostrack::nn
