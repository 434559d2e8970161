#include "nn/two_way_transformer.hpp"

#include <cmath>

namespace vostrack::nn {
namespace {

/// So few that blocks of keys are hardly filled.
constexpr std::int64_t kFewKeys = 32;

/// Attention with the queries side by side, where there are many for a few keys.
///
/// @param query  (B, heads, N, c)
/// @param key, value  (B, heads, M, c)
torch::Tensor attend_to_few(const torch::Tensor& query, const torch::Tensor& key,
                            const torch::Tensor& value) {
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(3)));
  const auto scores = torch::matmul(key * scale, query.transpose(2, 3));  // (B, heads, M, N)
  return torch::matmul(torch::softmax(scores, 2).transpose(2, 3), value);
}

}  // namespace

AttentionImpl::AttentionImpl(int embed_dim, int num_heads, int downsample_rate, int key_value_dim)
    : heads_(num_heads), inner_dim_(embed_dim / downsample_rate) {
  const int kv = key_value_dim > 0 ? key_value_dim : embed_dim;
  q_proj_ = register_module("q_proj", Linear(embed_dim, inner_dim_));
  k_proj_ = register_module("k_proj", Linear(kv, inner_dim_));
  v_proj_ = register_module("v_proj", Linear(kv, inner_dim_));
  out_proj_ = register_module("out_proj", Linear(inner_dim_, embed_dim));
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& q, const torch::Tensor& k,
                                     const torch::Tensor& v) {
  const auto query = split_heads(q_proj_->forward(q), heads_);
  const auto key = split_heads(k_proj_->forward(k), heads_);
  const auto value = split_heads(v_proj_->forward(v), heads_);
  const bool few = query.is_cpu() && key.size(2) <= kFewKeys && query.size(2) > kFewKeys;
  return out_proj_->forward(merge_heads(
      few ? attend_to_few(query, key, value)
          : torch::scaled_dot_product_attention(query, key, value)));
}

TwoWayBlockImpl::TwoWayBlockImpl(int dim, int num_heads, int mlp_dim, bool skip_first_layer_pe)
    : skip_first_layer_pe_(skip_first_layer_pe),
      self_attn_(register_module("self_attn", Attention(dim, num_heads))),
      token_to_image_(register_module("cross_attn_token_to_image", Attention(dim, num_heads, 2))),
      image_to_token_(register_module("cross_attn_image_to_token", Attention(dim, num_heads, 2))),
      norm1_(register_module("norm1", LayerNorm(dim))),
      norm2_(register_module("norm2", LayerNorm(dim))),
      norm3_(register_module("norm3", LayerNorm(dim))),
      norm4_(register_module("norm4", LayerNorm(dim))),
      mlp_(register_module("mlp", Mlp(dim, mlp_dim, dim, 2))) {}

std::pair<torch::Tensor, torch::Tensor> TwoWayBlockImpl::forward(torch::Tensor queries,
                                                                 torch::Tensor keys,
                                                                 const torch::Tensor& query_pe,
                                                                 const torch::Tensor& key_pe) {
  if (skip_first_layer_pe_) {
    queries = self_attn_->forward(queries, queries, queries);
  } else {
    auto q = queries + query_pe;
    queries = queries + self_attn_->forward(q, q, queries);
  }
  queries = norm1_->forward(queries);

  auto keys_with_pe = keys + key_pe;
  queries = queries + token_to_image_->forward(queries + query_pe, keys_with_pe, keys);
  queries = norm2_->forward(queries);
  queries = norm3_->forward(queries + mlp_->forward(queries));

  keys = keys + image_to_token_->forward(keys_with_pe, queries + query_pe, queries);
  return {queries, norm4_->forward(keys)};
}

TwoWayTransformerImpl::TwoWayTransformerImpl(int depth, int dim, int num_heads, int mlp_dim)
    : final_attn_(register_module("final_attn_token_to_image", Attention(dim, num_heads, 2))),
      norm_final_(register_module("norm_final_attn", LayerNorm(dim))) {
  torch::nn::ModuleList list;
  for (int i = 0; i < depth; ++i) {
    layers_.emplace_back(dim, num_heads, mlp_dim, /*skip_first_layer_pe=*/i == 0);
    list->push_back(layers_.back());
  }
  register_module("layers", list);
}

std::pair<torch::Tensor, torch::Tensor> TwoWayTransformerImpl::forward(
    const torch::Tensor& image, const torch::Tensor& image_pe, const torch::Tensor& tokens) {
  auto keys = image.flatten(2).transpose(1, 2).contiguous();
  auto key_pe = image_pe.flatten(2).transpose(1, 2);
  auto queries = tokens;
  for (auto& layer : layers_)
    std::tie(queries, keys) = layer->forward(queries, keys, tokens, key_pe);
  queries = queries + final_attn_->forward(queries + tokens, keys + key_pe, keys);
  return {norm_final_->forward(queries), keys};
}

}  // namespace vostrack::nn
