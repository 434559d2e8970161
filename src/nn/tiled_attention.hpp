/// Attention to memories in bfloat16, on processors with matrix tiles (AMX) or avx512_bf16.
///
/// There the plain form's scores cost less than factored attention's (factored_attention.hpp), but
/// averaging the memories before they are projected still saves three quarters of the other half.
/// Keys are turned once for each layer, straight into the order in which tiles are read; scores
/// live for one block of queries and keys and never reach memory. Rounds as the plain form does in
/// bfloat16: queries, keys and weights; sums are float32.
#pragma once

#include <torch/nn.h>

#include <span>

#include "nn/memory_tokens.hpp"
#include "nn/position_encoding.hpp"

namespace vostrack::nn {

/// One object's memories as matrices of tiles; for all layers.
struct TiledMemory {
  TiledMemory() = default;
  /// @param tokens, grid_pos, encode  as PackedMemory's
  /// @param table  of tokens.places, with them
  TiledMemory(const MemoryTokens& tokens, const torch::Tensor& grid_pos, bool encode,
              const RotaryTable& table = {});

  std::int64_t count = 0;         ///< keys
  std::int64_t turned = 0;        ///< of them those of memories, one memory after the other
  torch::Tensor key_pairs;    ///< (c/2, padded, 2) bfloat16: channels in pairs, before projection
  torch::Tensor value_pairs;  ///< (padded/2, c, 2) bfloat16: keys in pairs
  torch::Tensor cos, sin;     ///< (d/2, P) float32 of places; undefined: the grid's
  torch::Tensor log2_counts;  ///< (padded) float32, with places
};

/// One layer's weights, prepared.
class TiledAttention {
 public:
  /// Whether this processor multiplies bfloat16 fast and the widths fit.
  static bool available(std::int64_t channels, std::int64_t memory_width);

  /// @param key, value, out, table  as FactoredAttention's
  TiledAttention(torch::nn::LinearImpl& key, torch::nn::LinearImpl& value,
                 torch::nn::LinearImpl& out, const RotaryTable& table);

  /// @param queries  (1 or B, grid, d), projected but not turned
  /// @return (B, grid, C) bfloat16, after the output projection
  torch::Tensor forward(const torch::Tensor& queries, std::span<const TiledMemory> objects) const;

 private:
  /// One object's turned keys: (blocks, d/2, kKeyBlock, 2).
  torch::Tensor turned_keys(const TiledMemory& memory) const;
  void attend(const at::BFloat16* queries, std::int64_t count, const TiledMemory& memory,
              const torch::Tensor& keys, at::BFloat16* out) const;

  std::int64_t channels_, width_;
  RotaryTable table_;
  torch::Tensor key_weight_, key_bias_;  ///< (d, c) bfloat16, (d) float32
  torch::Tensor cos_, sin_;              ///< (d/2, grid) float32
  torch::Tensor out_weight_, out_bias_;
};

}  // namespace vostrack::nn
