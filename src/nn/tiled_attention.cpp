#include "nn/tiled_attention.hpp"

#include <ATen/native/CPUBlas.h>

#include <cmath>

#include "base/check.hpp"
#include "nn/matrix_kernel.hpp"
#include "nn/parallel.hpp"
#include "nn/processor.hpp"
#include "nn/tiled_kernel.hpp"

#ifdef CPUBLAS_BRGEMM_BF16BF16F32
#define VOSTRACK_TILES 1
#else
#define VOSTRACK_TILES 0
#endif

namespace vostrack::nn {

#ifdef VOSTRACK_X86_KERNELS

namespace {

constexpr std::int64_t kQueries = 64;    ///< of a block, at most
constexpr std::int64_t kKeyBlock = 512;  ///< a block's scores stay in the second cache
constexpr std::int64_t kKeyStep = 32;    ///< keys are padded to a multiple of this
constexpr float kNever = -1e30F;         ///< a padding's score

/// Matrix tiles that LibTorch can multiply.
bool has_tiles() {
#if VOSTRACK_TILES
  return at::native::cpublas::could_pack(at::kBFloat16);
#else
  return false;
#endif
}

/// (M, K) · (K, N), the second with neighbouring rows in pairs: (K/2, N, 2).
void multiply(std::int64_t rows, std::int64_t columns, std::int64_t inner, const at::BFloat16* a,
              std::int64_t a_row, const at::BFloat16* b, std::int64_t b_row, float* out,
              std::int64_t out_row, bool add) {
#if VOSTRACK_TILES
  if (has_tiles())
    return at::native::cpublas::brgemm(rows, columns, inner, a_row, b_row, out_row, add, a, b, out);
#endif
  const auto bits = [](const at::BFloat16* x) { return reinterpret_cast<const std::uint16_t*>(x); };
  kMatrixAvx512Bf16.multiply(rows, columns, inner, bits(a), a_row,
                             {bits(b), 2 * b_row, 2 * kMatrixAvx512Bf16.panel},
                             add ? Start{out, out_row} : Start{}, out, out_row);
}

/// What a thread works in. Gives the matrix tiles back at the end.
struct Scratch {
  Scratch(std::int64_t floats_wanted, std::int64_t halves_wanted)
      : floats(torch::empty(floats_wanted, torch::kFloat32)),
        halves(torch::empty(halves_wanted, torch::kBFloat16)) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
#if VOSTRACK_TILES
    if (has_tiles()) at::native::cpublas::brgemm_release();
#endif
  }

  torch::Tensor floats, halves;
};

torch::Tensor exact(const torch::Tensor& tensor) {
  return tensor.to(torch::kFloat64);
}

/// pack_channels_avx512 for all channels of a part of the keys.
///
/// @param values  (c, size)
/// @param position  (c, size), or null
/// @param time  (c)
/// @param at  key of the first of them
template <class Element>
void pack_channels(const torch::Tensor& values, const float* position, const float* time,
                   std::int64_t at, torch::Tensor& key_pairs, torch::Tensor& rows) {
  const auto held = values.contiguous();
  const auto* const from = static_cast<const Element*>(held.const_data_ptr());
  auto* const keys = static_cast<std::uint32_t*>(key_pairs.data_ptr());
  auto* const to = static_cast<std::uint16_t*>(rows.data_ptr());
  const auto size = held.size(1), padded = rows.size(1);
  for (std::int64_t c = 0; c < held.size(0); c += 2)
    pack_channels_avx512(from + c * size, from + (c + 1) * size,
                         position ? position + c * size : nullptr,
                         position ? position + (c + 1) * size : nullptr, time[c], time[c + 1], size,
                         keys + c / 2 * padded + at, to + c * padded + at,
                         to + (c + 1) * padded + at);
}

/// (c, padded) → (padded/2, c, 2)
void transpose_pairs(const torch::Tensor& rows, torch::Tensor& value_pairs) {
  transpose_avx512(static_cast<const std::uint32_t*>(rows.const_data_ptr()), rows.size(0),
                   rows.size(1) / 2, static_cast<std::uint32_t*>(value_pairs.data_ptr()));
}

}  // namespace

TiledMemory::TiledMemory(const MemoryTokens& tokens, const torch::Tensor& grid_pos, bool encode,
                         const RotaryTable& table) {
  for (const auto& grid : tokens.grids) turned += grid[0].flatten(1).size(1);
  count = turned + (tokens.pointers.defined() ? tokens.pointers.size(1) : 0);
  const auto padded = at::divup(count, kKeyStep) * kKeyStep;
  const auto width = tokens.grids.empty() ? tokens.pointers.size(2) : tokens.grids[0].size(1);
  key_pairs = torch::empty({width / 2, padded, 2}, torch::kBFloat16);
  value_pairs = torch::empty({padded / 2, width, 2}, torch::kBFloat16);
  auto rows = torch::empty({width, padded}, torch::kBFloat16);
  key_pairs.narrow(1, count, padded - count).zero_();
  rows.narrow(1, count, padded - count).zero_();

  // values (c, size); pos (c, size) and time (c), with `encode`
  std::int64_t at = 0;
  const auto add = [&](const torch::Tensor& values, const torch::Tensor& pos,
                       const torch::Tensor& time) {
    const float* const position = encode ? pos.const_data_ptr<float>() : nullptr;
    if (values.scalar_type() == torch::kBFloat16)
      pack_channels<std::uint16_t>(values, position, time.const_data_ptr<float>(), at, key_pairs,
                                   rows);
    else
      pack_channels<float>(values.to(torch::kFloat32), position, time.const_data_ptr<float>(), at,
                           key_pairs, rows);
    at += values.size(1);
  };
  const auto by_channel = [encode](const torch::Tensor& pos) {
    return encode ? pos[0].transpose(0, 1).contiguous() : torch::Tensor();
  };
  const auto pos = by_channel(tokens.places ? tokens.places->pos : grid_pos);
  for (std::size_t i = 0; i < tokens.grids.size(); ++i)
    add(tokens.grids[i][0].flatten(1), pos, tokens.times[i].contiguous());
  if (tokens.pointers.defined())
    add(tokens.pointers[0].transpose(0, 1), by_channel(tokens.pointer_times), torch::zeros({width}));
  transpose_pairs(rows, value_pairs);
  if (!tokens.places) return;
  cos = table.cos.transpose(0, 1).contiguous();
  sin = table.sin.transpose(0, 1).contiguous();
  log2_counts = torch::zeros({padded}, torch::kFloat32);
  log2_counts.narrow(0, 0, turned)
      .view({-1, tokens.places->counts.size(0)})
      .copy_(tokens.places->counts.log2());
}

bool TiledAttention::available(std::int64_t channels, std::int64_t memory_width) {
  return (has_tiles() || has_avx512_bf16()) && channels % 32 == 0 && memory_width % 32 == 0;
}

TiledAttention::TiledAttention(torch::nn::LinearImpl& key, torch::nn::LinearImpl& value,
                               torch::nn::LinearImpl& out, const RotaryTable& table)
    : channels_(key.weight.size(0)),
      width_(key.weight.size(1)),
      table_(table),
      key_weight_(key.weight.to(torch::kBFloat16).contiguous()),
      key_bias_(key.bias.to(torch::kFloat32).contiguous()),
      cos_(table.cos.transpose(0, 1).contiguous()),
      sin_(table.sin.transpose(0, 1).contiguous()),
      out_weight_(exact(out.weight).matmul(exact(value.weight)).to(torch::kBFloat16)),
      out_bias_(
          (exact(out.weight).matmul(exact(value.bias)) + exact(out.bias)).to(torch::kBFloat16)) {}

torch::Tensor TiledAttention::turned_keys(const TiledMemory& memory) const {
  const auto padded = memory.key_pairs.size(1);
  const torch::Tensor& cos = memory.cos.defined() ? memory.cos : cos_;
  const torch::Tensor& sin = memory.sin.defined() ? memory.sin : sin_;
  const auto grid = cos.size(1);
  VOSTRACK_ASSERT(memory.turned % grid == 0);
  const auto blocks = at::divup(padded, kKeyBlock);
  auto out = torch::empty({blocks, channels_ / 2, kKeyBlock, 2}, torch::kBFloat16);
  auto* const turned = reinterpret_cast<std::uint32_t*>(out.data_ptr<at::BFloat16>());
  const auto* const pairs = memory.key_pairs.const_data_ptr<at::BFloat16>();
  const auto* const bias = key_bias_.const_data_ptr<float>();
  const auto* const weight = key_weight_.const_data_ptr<at::BFloat16>();
  const auto turn_block = [&](Scratch& scratch, std::int64_t block) {
    const auto first = block * kKeyBlock;
    const auto size = std::min(kKeyBlock, padded - first);
    float* const rows = scratch.floats.data_ptr<float>();
    multiply(channels_, size, width_, weight, width_, pairs + 2 * first, padded, rows, kKeyBlock,
             /*add=*/false);
    // Pieces that are one run of places of one memory, or not of memories at all.
    for (std::int64_t at = 0; at < size;) {
      const bool on_grid = first + at < memory.turned;
      const auto cell = (first + at) % grid;
      const auto piece = std::min(
          size - at, on_grid ? std::min(grid - cell, memory.turned - first - at) : size - at);
      for (std::int64_t pair = 0; pair < channels_ / 2; ++pair) {
        const auto table = pair * grid + cell;
        turn_keys_avx512(rows + 2 * pair * kKeyBlock + at, rows + (2 * pair + 1) * kKeyBlock + at,
                         bias[2 * pair], bias[2 * pair + 1],
                         on_grid ? cos.const_data_ptr<float>() + table : nullptr,
                         on_grid ? sin.const_data_ptr<float>() + table : nullptr, piece,
                         turned + (block * channels_ / 2 + pair) * kKeyBlock + at);
      }
      at += piece;
    }
  };
  share_out(blocks, [&] { return Scratch(channels_ * kKeyBlock, 0); }, turn_block);
  return out;
}

void TiledAttention::attend(const at::BFloat16* queries, std::int64_t count,
                            const TiledMemory& memory, const torch::Tensor& keys,
                            at::BFloat16* out) const {
  const auto padded = memory.key_pairs.size(1);
  const auto* const turned = keys.const_data_ptr<at::BFloat16>();
  const auto* const values = memory.value_pairs.const_data_ptr<at::BFloat16>();
  const float* const more =
      memory.log2_counts.defined() ? memory.log2_counts.const_data_ptr<float>() : nullptr;
  const auto block = even_block(count, kQueries);
  const auto attend_block = [&](Scratch& scratch, std::int64_t query_block) {
    const auto first_query = query_block * block;
    const auto rows = std::min(block, count - first_query);
    float* const scores = scratch.floats.data_ptr<float>();
    float* const sum = scores + block * kKeyBlock;
    auto* const weights = scratch.halves.data_ptr<at::BFloat16>();
    SoftmaxRow softmax[kQueries];
    for (std::int64_t first = 0; first < padded; first += kKeyBlock) {
      const auto size = std::min(kKeyBlock, padded - first);
      multiply(rows, size, channels_, queries + first_query * channels_, channels_,
               turned + first * channels_, kKeyBlock, scores, kKeyBlock, /*add=*/false);
      for (std::int64_t row = 0; row < rows; ++row) {
        float* const score = scores + row * kKeyBlock;
        if (more)
          for (std::int64_t i = 0; i < size; ++i) score[i] += more[first + i];
        for (auto i = memory.count - first; i < size; ++i) score[i] = kNever;
        const float shrink = kMatrixAvx512Bf16.weigh_row(
            score, size, /*scale=*/1, softmax[row],
            reinterpret_cast<std::uint16_t*>(weights + row * kKeyBlock));
        if (first > 0 && shrink != 1)
          for (std::int64_t i = 0; i < width_; ++i) sum[row * width_ + i] *= shrink;
      }
      multiply(rows, width_, size, weights, kKeyBlock, values + first * width_, width_, sum, width_,
               /*add=*/first > 0);
    }
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t i = 0; i < width_; ++i)
        out[(first_query + row) * width_ + i] = sum[row * width_ + i] / softmax[row].powers;
  };
  share_out(
      at::divup(count, block),
      [&] { return Scratch(block * (kKeyBlock + width_), block * kKeyBlock); }, attend_block);
}

torch::Tensor TiledAttention::forward(const torch::Tensor& queries,
                                      std::span<const TiledMemory> objects) const {
  const auto batch = static_cast<std::int64_t>(objects.size());
  const auto count = queries.size(1);
  VOSTRACK_ASSERT(queries.size(0) == batch || queries.size(0) == 1);
  const double scale = std::log2(std::exp(1.0)) / std::sqrt(static_cast<double>(channels_));
  const auto turned = apply_rotary((queries.to(torch::kFloat32) * scale).unsqueeze(1), table_)
                          .to(torch::kBFloat16)
                          .contiguous();
  auto averages = torch::empty({batch, count, width_}, torch::kBFloat16);
  for (std::int64_t i = 0; i < batch; ++i) {
    const TiledMemory& memory = objects[static_cast<std::size_t>(i)];
    attend(turned[turned.size(0) == 1 ? 0 : i].const_data_ptr<at::BFloat16>(), count, memory,
           turned_keys(memory), averages[i].data_ptr<at::BFloat16>());
  }
  return torch::linear(averages, out_weight_, out_bias_);
}

#else  // other processors use factored attention

TiledMemory::TiledMemory(const MemoryTokens&, const torch::Tensor&, bool, const RotaryTable&) {
  VOSTRACK_ASSERT(false);
}

bool TiledAttention::available(std::int64_t, std::int64_t) {
  return false;
}

TiledAttention::TiledAttention(torch::nn::LinearImpl&, torch::nn::LinearImpl&,
                               torch::nn::LinearImpl&, const RotaryTable&)
    : channels_(0), width_(0) {
  VOSTRACK_ASSERT(false);
}

torch::Tensor TiledAttention::forward(const torch::Tensor&, std::span<const TiledMemory>) const {
  VOSTRACK_ASSERT(false);
  return {};
}

#endif

}  // namespace vostrack::nn
