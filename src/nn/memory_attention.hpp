/// Attention from the current picture to what is remembered of an object.
#pragma once

#include <torch/nn.h>

#include <optional>
#include <span>
#include <vector>

#include "nn/factored_attention.hpp"
#include "nn/model_config.hpp"
#include "nn/position_encoding.hpp"
#include "nn/tiled_attention.hpp"
#include "nn/two_way_transformer.hpp"

namespace vostrack::nn {

/// Where a batch's keys stand that are not the grid's cells (MemoryPlaces).
struct PlacedKeys {
  RotaryTable table;         ///< (B, 1, 1, P, d/2), used again for each memory
  torch::Tensor log_counts;  ///< (B, 1, 1, M), added to scores; −∞ where objects have fewer keys
};

/// Attention whose queries and keys are turned by their place in the grid.
///
/// Source: sam2/modeling/sam/transformer.py, RoPEAttention
class RotaryAttentionImpl : public AttentionImpl {
 public:
  RotaryAttentionImpl(int embed_dim, int num_heads, int downsample_rate, int key_value_dim);
  /// @param q  (B, grid, C)
  /// @param k, v  (B, M, C'), the grid once or several times, then other tokens
  /// @param unrotated  how many tokens at the end of `k` are not turned
  /// @param placed  where the others stand, if not on the whole grid
  /// @throws Error kInternal when the rotated keys are not whole grids
  torch::Tensor forward(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                        const RotaryTable& table, std::int64_t unrotated = 0,
                        const PlacedKeys* placed = nullptr);

  /// Prepares forward_factored. The weights must not change afterwards.
  void prepare_factored(const RotaryTable& table, int grid_width, int grid_height, double theta);
  /// The same attention of one head from packed memories.
  ///
  /// @param q  (1 or B, grid, C)
  /// @return (B, grid, C)
  torch::Tensor forward_factored(const torch::Tensor& q, std::span<const PackedMemory> objects);

  /// Prepares forward_tiled, where TiledAttention is available. The weights must not change
  /// afterwards.
  void prepare_tiled(const RotaryTable& table);
  /// The same attention in bfloat16 on matrix tiles.
  ///
  /// @param q  (1 or B, grid, C) bfloat16
  /// @return (B, grid, C)
  torch::Tensor forward_tiled(const torch::Tensor& q, std::span<const TiledMemory> objects);

  /// (d, C'): the key projection.
  const torch::Tensor& key_weight() const { return k_proj_->weight; }

 private:
  std::optional<FactoredAttention> factored_;
  std::optional<TiledAttention> tiled_;
};
TORCH_MODULE(RotaryAttention);

/// Source: sam2/modeling/memory_attention.py, MemoryAttentionLayer
class MemoryAttentionLayerImpl : public torch::nn::Module {
 public:
  MemoryAttentionLayerImpl(const MemoryAttentionConfig& config, int dim, int memory_dim);
  /// Attention of the picture to itself: (B, grid, C) → (B, grid, C).
  torch::Tensor attend_to_self(const torch::Tensor& x, const torch::Tensor& x_pos,
                               const RotaryTable& table);
  /// Attention to memories, and the feed-forward network.
  ///
  /// @param x  (1 or B, grid, C)
  /// @param attend  what the normalised picture is given to, such as RotaryAttention's forward
  template <class Attend>
  torch::Tensor attend_to_memory(torch::Tensor x, const torch::Tensor& x_pos,
                                 const Attend& attend) {
    auto normed = norm2_->forward(x);
    x = x + attend(*cross_attn_, config_.pos_enc_at_cross_attn_queries ? normed + x_pos : normed);
    normed = norm3_->forward(x);
    return x + linear1_->forward_both(normed, activation_, *linear2_);
  }

  RotaryAttentionImpl& cross_attention() { return *cross_attn_; }

 private:
  MemoryAttentionConfig config_;
  Activation activation_;
  RotaryAttention self_attn_, cross_attn_;
  Linear linear1_, linear2_;
  LayerNorm norm1_, norm2_, norm3_;
};
TORCH_MODULE(MemoryAttentionLayer);

/// Source: sam2/modeling/memory_attention.py, MemoryAttention
class MemoryAttentionImpl : public torch::nn::Module {
 public:
  explicit MemoryAttentionImpl(const ModelConfig& config);

  /// @param current  (1 or B, grid, C): the picture's coarsest level, row by row. With 1 the first
  ///   layer's attention to itself, which is the same for all objects, is computed once
  /// @param current_pos  (1 or B, grid, C)
  /// @param memory  (B, M, Cm): whole grids of memory, or `placed` ones, then pointer tokens
  /// @param memory_pos  (1 or B, M, Cm)
  /// @param table  rotary_table of the grid, for inner_channels() channels
  /// @return (B, grid, C)
  torch::Tensor forward(const torch::Tensor& current, const torch::Tensor& current_pos,
                        const torch::Tensor& memory, const torch::Tensor& memory_pos,
                        const RotaryTable& table, std::int64_t pointer_tokens,
                        const PlacedKeys* placed = nullptr);

  /// The same from memories as they are stored.
  ///
  /// @param objects  B of them, with the same numbers of grids and pointers, and all with places or
  ///   none
  /// @param memory_pos  (1, grid, Cm) float32
  torch::Tensor forward(const torch::Tensor& current, const torch::Tensor& current_pos,
                        std::span<const MemoryTokens> objects, const torch::Tensor& memory_pos,
                        const RotaryTable& table);

  /// Prepares what is faster than the plain form where it can be used, on CPUs and with one head:
  /// tiled attention in bfloat16 on a processor for it, else factored attention. The weights must
  /// not change afterwards.
  ///
  /// @param table  of the grid that memories and pictures have
  void prepare_for_inference(const RotaryTable& table, int grid_width, int grid_height);

  /// Channels of one head.
  int inner_channels() const { return inner_channels_; }

 private:
  template <class Attend>
  torch::Tensor run(const torch::Tensor& current, const torch::Tensor& current_pos,
                    const RotaryTable& table, const Attend& attend);
  RotaryTable table_of(const MemoryPlaces& places) const;
  /// @param most  places that each memory is filled up to
  PlacedKeys placed_keys(std::span<const MemoryTokens> objects, std::int64_t most) const;

  MemoryAttentionConfig config_;
  int inner_channels_;
  torch::Tensor prepared_for_;  ///< the table's cosines, or undefined
  bool tiled_ = false;          ///< what was prepared is tiled attention
  std::vector<MemoryAttentionLayer> layers_;
  LayerNorm norm_;
};
TORCH_MODULE(MemoryAttention);

}  // namespace vostrack::nn
