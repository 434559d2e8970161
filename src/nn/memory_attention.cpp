#include "nn/memory_attention.hpp"

#include "base/check.hpp"
#include "nn/dense_attention.hpp"
#include "nn/parallel.hpp"

namespace vostrack::nn {

RotaryAttentionImpl::RotaryAttentionImpl(int embed_dim, int num_heads, int downsample_rate,
                                         int key_value_dim)
    : AttentionImpl(embed_dim, num_heads, downsample_rate, key_value_dim) {}

torch::Tensor RotaryAttentionImpl::forward(const torch::Tensor& q, const torch::Tensor& k,
                                           const torch::Tensor& v, const RotaryTable& table,
                                           std::int64_t unrotated, const PlacedKeys* placed) {
  auto query = apply_rotary(split_heads(q_proj_->forward(q), heads_), table);
  auto key = split_heads(k_proj_->forward(k), heads_);
  const auto rotated = key.size(2) - unrotated;
  const RotaryTable& key_table = placed ? placed->table : table;
  VOSTRACK_ASSERT(rotated >= 0 && rotated % key_table.cos.size(-2) == 0);
  if (unrotated == 0)
    key = apply_rotary(key, key_table);
  else if (rotated > 0)
    key = torch::cat({apply_rotary(key.slice(2, 0, rotated), key_table), key.slice(2, rotated)}, 2);
  auto value = v_proj_->forward(v);
  if (placed)
    return out_proj_->forward(merge_heads(torch::scaled_dot_product_attention(
        query, key, split_heads(value, heads_), placed->log_counts.to(query.scalar_type()))));
  if (heads_ == 1 && dense_attention_available(query, query.size(3)))
    return out_proj_->forward(
        dense_attention(query.squeeze(1), key.squeeze(1), value, /*heads=*/1));
  return out_proj_->forward(
      merge_heads(torch::scaled_dot_product_attention(query, key, split_heads(value, heads_))));
}

void RotaryAttentionImpl::prepare_factored(const RotaryTable& table, int grid_width,
                                           int grid_height, double theta) {
  VOSTRACK_ASSERT(heads_ == 1);
  factored_.emplace(*k_proj_, *v_proj_, *out_proj_, table, grid_width, grid_height, theta);
}

torch::Tensor RotaryAttentionImpl::forward_factored(const torch::Tensor& q,
                                                    std::span<const PackedMemory> objects) {
  VOSTRACK_ASSERT(factored_);
  return factored_->forward(q_proj_->forward(q), objects);
}

void RotaryAttentionImpl::prepare_tiled(const RotaryTable& table) {
  VOSTRACK_ASSERT(heads_ == 1);
  tiled_.emplace(*k_proj_, *v_proj_, *out_proj_, table);
}

torch::Tensor RotaryAttentionImpl::forward_tiled(const torch::Tensor& q,
                                                 std::span<const TiledMemory> objects) {
  VOSTRACK_ASSERT(tiled_);
  return tiled_->forward(q_proj_->forward(q), objects);
}

MemoryAttentionLayerImpl::MemoryAttentionLayerImpl(const MemoryAttentionConfig& config, int dim,
                                                   int memory_dim)
    : config_(config),
      activation_(config.activation == "gelu" ? Activation::kGelu : Activation::kRelu),
      self_attn_(register_module(
          "self_attn", RotaryAttention(dim, config.num_heads, config.downsample_rate, 0))),
      cross_attn_(register_module(
          "cross_attn_image",
          RotaryAttention(dim, config.num_heads, config.downsample_rate, memory_dim))),
      linear1_(register_module("linear1", Linear(dim, config.dim_feedforward))),
      linear2_(register_module("linear2", Linear(config.dim_feedforward, dim))),
      norm1_(register_module("norm1", LayerNorm(dim))),
      norm2_(register_module("norm2", LayerNorm(dim))),
      norm3_(register_module("norm3", LayerNorm(dim))) {}

torch::Tensor MemoryAttentionLayerImpl::attend_to_self(const torch::Tensor& x,
                                                       const torch::Tensor& x_pos,
                                                       const RotaryTable& table) {
  auto normed = norm1_->forward(x);
  auto query = config_.pos_enc_at_attn ? normed + x_pos : normed;
  return x + self_attn_->forward(query, query, normed, table);
}

MemoryAttentionImpl::MemoryAttentionImpl(const ModelConfig& config)
    : config_(config.memory_attention),
      inner_channels_(config.neck.d_model / config.memory_attention.downsample_rate /
                      config.memory_attention.num_heads),
      norm_(register_module("norm", LayerNorm(config.neck.d_model))) {
  torch::nn::ModuleList list;
  for (int i = 0; i < config_.num_layers; ++i) {
    layers_.emplace_back(config_, config.neck.d_model, config.memory_encoder.out_dim);
    list->push_back(layers_.back());
  }
  register_module("layers", list);
}

void MemoryAttentionImpl::prepare_for_inference(const RotaryTable& table, int grid_width,
                                                int grid_height) {
  if (config_.num_heads != 1 || !config_.rope_k_repeat || !table.cos.is_cpu() || layers_.empty())
    return;
  const auto& weight = layers_.front()->cross_attention().key_weight();
  tiled_ = weight.scalar_type() == torch::kBFloat16 &&
           TiledAttention::available(weight.size(0), weight.size(1));
  for (auto& layer : layers_) {
    auto& attention = layer->cross_attention();
    if (tiled_)
      attention.prepare_tiled(table);
    else
      attention.prepare_factored(table, grid_width, grid_height, config_.rope_theta);
  }
  prepared_for_ = table.cos;
}

namespace {

/// Zeros behind it.
torch::Tensor filled_up(const torch::Tensor& tensor, std::int64_t dim, std::int64_t size) {
  if (tensor.size(dim) == size) return tensor;
  auto shape = tensor.sizes().vec();
  shape[static_cast<std::size_t>(dim)] = size - tensor.size(dim);
  return torch::cat({tensor, torch::zeros(shape, tensor.options())}, dim);
}

}  // namespace

template <class Attend>
torch::Tensor MemoryAttentionImpl::run(const torch::Tensor& current,
                                       const torch::Tensor& current_pos, const RotaryTable& table,
                                       const Attend& attend) {
  // Sums take the order in memory of their first term, here often a grid's with channels first.
  auto x = current.contiguous();
  if (config_.pos_enc_at_input) x = x + 0.1 * current_pos;
  for (auto& layer : layers_) {
    x = layer->attend_to_self(x, current_pos, table);
    x = layer->attend_to_memory(x, current_pos, attend);
  }
  return norm_->forward(x);
}

torch::Tensor MemoryAttentionImpl::forward(const torch::Tensor& current,
                                           const torch::Tensor& current_pos,
                                           const torch::Tensor& memory,
                                           const torch::Tensor& memory_pos,
                                           const RotaryTable& table, std::int64_t pointer_tokens,
                                           const PlacedKeys* placed) {
  const auto keys = config_.pos_enc_at_cross_attn_keys ? memory + memory_pos : memory;
  return run(current, current_pos, table, [&](RotaryAttentionImpl& attention, torch::Tensor query) {
    if (query.size(0) != keys.size(0)) query = query.expand({keys.size(0), -1, -1});
    return attention.forward(query, keys, memory, table, pointer_tokens, placed);
  });
}

torch::Tensor MemoryAttentionImpl::forward(const torch::Tensor& current,
                                           const torch::Tensor& current_pos,
                                           std::span<const MemoryTokens> objects,
                                           const torch::Tensor& memory_pos,
                                           const RotaryTable& table) {
  if (prepared_for_.defined() && prepared_for_.is_same(table.cos) && !is_training()) {
    const bool encode = config_.pos_enc_at_cross_attn_keys;
    if (tiled_) {
      std::vector<TiledMemory> tiled(objects.size());
      // Channel by channel, as they are packed; once for all objects.
      const auto grid_pos = memory_pos.transpose(1, 2).contiguous().transpose(1, 2);
      share_out(
          static_cast<std::int64_t>(objects.size()), [] { return torch::InferenceMode(); },
          [&](torch::InferenceMode&, std::int64_t i) {
            const MemoryTokens& object = objects[static_cast<std::size_t>(i)];
            tiled[static_cast<std::size_t>(i)] =
                TiledMemory(object, grid_pos, encode,
                            object.places ? table_of(*object.places) : RotaryTable());
          });
      return run(current, current_pos, table,
                 [&](RotaryAttentionImpl& attention, const torch::Tensor& query) {
                   return attention.forward_tiled(query, tiled);
                 });
    }
    std::vector<PackedMemory> packed;
    for (const MemoryTokens& object : objects) packed.emplace_back(object, memory_pos, encode);
    return run(current, current_pos, table,
               [&](RotaryAttentionImpl& attention, const torch::Tensor& query) {
                 return attention.forward_factored(query, packed);
               });
  }
  std::int64_t most = 0;
  for (const MemoryTokens& object : objects)
    if (object.places) most = std::max(most, object.places->counts.size(0));
  // All objects' memories are joined in one go: a GPU takes longer to start a copy than to make it.
  std::vector<torch::Tensor> grids, times, places, pointers, pointer_times;
  for (const MemoryTokens& object : objects) {
    VOSTRACK_ASSERT(object.places.has_value() == objects[0].places.has_value() &&
                    object.grids.size() == objects[0].grids.size());
    for (const torch::Tensor& grid : object.grids)
      grids.push_back(object.places ? filled_up(grid, 2, most) : grid);
    times.insert(times.end(), object.times.begin(), object.times.end());
    if (object.places) places.push_back(filled_up(object.places->pos, 1, most));
    if (!object.pointers.defined()) continue;
    pointers.push_back(object.pointers);
    pointer_times.push_back(object.pointer_times);
  }
  const auto dtype = current.scalar_type();
  const auto count = static_cast<std::int64_t>(objects.size());
  const auto each = static_cast<std::int64_t>(objects[0].grids.size());
  // (1, all memories, c, cells); in training one object's, of a batch.
  auto memory = torch::stack(grids, 1).flatten(3).to(dtype);
  const auto channels = memory.size(2), cells = memory.size(3);
  memory = memory.transpose(2, 3).reshape({-1, each * cells, channels});
  auto pos = (most > 0 ? torch::stack(places) : memory_pos.unsqueeze(0)) +
             torch::cat(times).view({count, each, 1, channels});
  pos = pos.to(dtype).reshape({count, each * cells, channels});
  std::int64_t pointer_tokens = 0;
  if (!pointers.empty()) {
    VOSTRACK_ASSERT(pointers.size() == objects.size());
    memory = torch::cat({memory, torch::cat(pointers).to(dtype)}, 1);
    pos = torch::cat({pos, torch::cat(pointer_times).to(dtype)}, 1);
    pointer_tokens = pointers[0].size(1);
  }
  if (most == 0) return forward(current, current_pos, memory, pos, table, pointer_tokens);
  const auto placed = placed_keys(objects, most);
  return forward(current, current_pos, memory, pos, table, pointer_tokens, &placed);
}

RotaryTable MemoryAttentionImpl::table_of(const MemoryPlaces& places) const {
  return rotary_table(inner_channels_, 0.5 * places.x, 0.5 * places.y, config_.rope_theta);
}

PlacedKeys MemoryAttentionImpl::placed_keys(std::span<const MemoryTokens> objects,
                                            std::int64_t most) const {
  std::vector<torch::Tensor> cos, sin, log_counts;
  for (const MemoryTokens& object : objects) {
    const auto table = table_of(*object.places);
    cos.push_back(filled_up(table.cos, 0, most));
    sin.push_back(filled_up(table.sin, 0, most));
    auto all = filled_up(object.places->counts, 0, most)
                   .log()
                   .repeat({static_cast<std::int64_t>(object.grids.size())});
    if (object.pointers.defined())
      all = torch::cat({all, torch::zeros({object.pointers.size(1)}, all.options())});
    log_counts.push_back(all);
  }
  const auto shape = [](const std::vector<torch::Tensor>& parts) {
    return torch::stack(parts).unsqueeze(1).unsqueeze(1);
  };
  return {{shape(cos), shape(sin)}, shape(log_counts)};
}

}  // namespace vostrack::nn
