#include "nn/dense_attention.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/check.hpp"
#include "nn/matrix_kernel.hpp"
#include "nn/parallel.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

constexpr std::int64_t kQueries = 96;    ///< of a block, at most
constexpr std::int64_t kKeyBlock = 256;  ///< keys whose scores are held at once
constexpr std::int64_t kLanes = 16;      ///< keys are padded to a multiple of this
constexpr float kNever = -1e30F;         ///< a padding's score

#ifdef VOSTRACK_X86_KERNELS
template <class Element>
const MatrixKernels<Element>& kernels(std::size_t variant) {
  if constexpr (std::is_same_v<Element, float>)
    return dense_variants()[variant];
  else
    return kMatrixAvx512Bf16;
}

/// Elements of the second matrix that lie side by side.
template <class Element>
constexpr std::int64_t kPair = sizeof(Element) == 2 ? 2 : 1;

/// Where the tokens of one window lie.
template <class Element>
struct Tokens {
  std::vector<const Element*> queries, keys, values;
  std::vector<Element*> out;  ///< as many as queries

  void clear() {
    queries.clear();
    keys.clear();
    values.clear();
    out.clear();
  }
};

/// One head's keys and values, packed.
template <class Element>
class PackedHead {
 public:
  static std::int64_t padded(std::int64_t count, std::int64_t to = kLanes) {
    return at::divup(count, to) * to;
  }
  /// Elements of all.
  ///
  /// @param panel  columns of a panel, divides kKeyBlock
  static std::int64_t size(std::int64_t count, std::int64_t channels, std::int64_t panel) {
    return channels * padded(count, panel) + padded(count) * padded(channels, panel);
  }

  PackedHead(Element* data, std::int64_t count, std::int64_t channels, std::int64_t panel)
      : count_(count),
        channels_(channels),
        panel_(panel),
        keys_(data),
        values_(data + channels * padded(count, panel)) {}

  /// Packs the panels first ≤ i < last.
  void pack(const Tokens<Element>& tokens, std::int64_t head_at, std::int64_t first,
            std::int64_t last) const {
    constexpr auto pair = kPair<Element>;
    for (std::int64_t p = first; p < last; ++p) {
      Element* panel = keys_ + p * panel_ * channels_;
      const auto start = p * panel_;
      const auto filled = std::min(panel_, count_ - start);
      const auto used = std::min(panel_, padded(count_) - start);
      if (filled < used) std::fill(panel, panel + panel_ * channels_, Element{});
      for (std::int64_t i = 0; i < filled; ++i) {
        const Element* key = tokens.keys[static_cast<std::size_t>(start + i)] + head_at;
        for (std::int64_t c = 0; c < channels_; c += pair)
          for (std::int64_t e = 0; e < pair; ++e) panel[c * panel_ + i * pair + e] = key[c + e];
      }
      for (std::int64_t i = 0; i < used; i += pair) {
        for (std::int64_t e = 0; e < pair; ++e) {
          const Element* value =
              i + e < filled ? tokens.values[static_cast<std::size_t>(start + i + e)] + head_at
                             : nullptr;
          Element* row = values_ + (start + i) * panel_ + e;
          for (std::int64_t c = 0; c < channels_; c += panel_, row += panel_ * padded(count_)) {
            const auto width = std::min(panel_, channels_ - c);
            if (value)
              for (std::int64_t at = 0; at < width; ++at) row[at * pair] = value[c + at];
            else
              for (std::int64_t at = 0; at < width; ++at) row[at * pair] = Element{};
          }
        }
      }
    }
  }

  std::int64_t panels() const { return at::divup(count_, panel_); }
  std::int64_t count() const { return count_; }
  std::int64_t channels() const { return channels_; }
  /// (c, keys) from key `first` on, a multiple of kKeyBlock.
  Panels<Element> keys(std::int64_t first) const {
    return {keys_ + first * channels_, panel_ * kPair<Element>, panel_ * channels_};
  }
  /// (keys, c) from key `first` on.
  Panels<Element> values(std::int64_t first) const {
    return {values_ + first * panel_, panel_ * kPair<Element>, panel_ * padded(count_)};
  }

 private:
  std::int64_t count_, channels_, panel_;
  Element *keys_, *values_;
};

/// What a thread works in.
template <class Element>
class Scratch {
 public:
  Scratch(std::size_t variant, std::int64_t channels) : kernels_(kernels<Element>(variant)) {
    constexpr auto scores = kQueries * kKeyBlock;
    const auto sum = kQueries * channels;
    const auto elements = sum + (kInPlace ? 0 : scores);
    // A tensor, since vectors of numbers should not straddle cache lines.
    storage_ = torch::empty((scores + sum) * static_cast<std::int64_t>(sizeof(float)) +
                                elements * static_cast<std::int64_t>(sizeof(Element)),
                            torch::kByte);
    scores_ = static_cast<float*>(storage_.data_ptr());
    sum_ = scores_ + scores;
    queries_ = reinterpret_cast<Element*>(sum_ + sum);
    if constexpr (kInPlace)
      weights_ = scores_;
    else
      weights_ = queries_ + sum;
  }

  /// Attends from the queries first ≤ i < last, at most kQueries.
  void attend(const Tokens<Element>& tokens, std::int64_t head_at, const PackedHead<Element>& head,
              std::int64_t first, std::int64_t last) {
    const auto channels = head.channels();
    const auto rows = last - first;
    const float scale = 1.44269504F / std::sqrt(static_cast<float>(channels));
    for (std::int64_t r = 0; r < rows; ++r)
      std::copy_n(tokens.queries[static_cast<std::size_t>(first + r)] + head_at, channels,
                  queries_ + r * channels);
    SoftmaxRow softmax[kQueries];
    const auto padded = PackedHead<Element>::padded(head.count());
    for (std::int64_t key = 0; key < padded; key += kKeyBlock) {
      const auto size = std::min(kKeyBlock, padded - key);
      kernels_.multiply(rows, size, channels, queries_, channels, head.keys(key), Start{}, scores_,
                        kKeyBlock);
      for (std::int64_t r = 0; r < rows; ++r) {
        float* const score = scores_ + r * kKeyBlock;
        for (auto i = head.count() - key; i < size; ++i) score[i] = kNever;
        const float shrink =
            kernels_.weigh_row(score, size, scale, softmax[r], weights_ + r * kKeyBlock);
        float* const sum = sum_ + r * channels;
        if (key > 0 && shrink != 1)
          for (std::int64_t c = 0; c < channels; ++c) sum[c] *= shrink;
      }
      kernels_.multiply(rows, channels, size, weights_, kKeyBlock, head.values(key),
                        key > 0 ? Start{sum_, channels} : Start{}, sum_, channels);
    }
    for (std::int64_t r = 0; r < rows; ++r)
      kernels_.scale_row(sum_ + r * channels, channels, 1 / softmax[r].powers,
                         tokens.out[static_cast<std::size_t>(first + r)] + head_at);
  }

 private:
  /// Weights take the place of scores of the same size.
  static constexpr bool kInPlace = std::is_same_v<Element, float>;

  const MatrixKernels<Element>& kernels_;
  torch::Tensor storage_;
  float *scores_, *sum_;
  Element *queries_, *weights_;
};

template <class Element>
Element* data_of(const torch::Tensor& tensor) {
  return static_cast<Element*>(tensor.data_ptr());
}

/// Rows of (B, N, C) with any strides but channels side by side.
template <class Element>
void add_rows(const torch::Tensor& x, std::int64_t batch, std::vector<const Element*>& rows) {
  const Element* data = data_of<const Element>(x) + batch * x.stride(0);
  for (std::int64_t i = 0; i < x.size(1); ++i) rows.push_back(data + i * x.stride(1));
}

template <class Element>
void attend_everywhere(std::size_t variant, const torch::Tensor& q, const torch::Tensor& k,
                       const torch::Tensor& v, std::int64_t heads,
                       const torch::Tensor& out) {
  const auto channels = q.size(2) / heads;
  const auto queries = q.size(1), keys = k.size(1);
  const std::int64_t panel = kernels<Element>(variant).panel;
  const auto each = PackedHead<Element>::size(keys, channels, panel);
  auto packed = torch::empty({heads, each}, q.options());
  const auto head_of = [&](std::int64_t head) {
    return PackedHead<Element>(data_of<Element>(packed) + head * each, keys, channels, panel);
  };
  const auto block = heads == 1 ? even_block(queries, kQueries) : kQueries;
  const auto blocks = at::divup(queries, block);
  for (std::int64_t batch = 0; batch < q.size(0); ++batch) {
    Tokens<Element> tokens;
    add_rows(q, batch, tokens.queries);
    add_rows(k, batch, tokens.keys);
    add_rows(v, batch, tokens.values);
    for (std::int64_t i = 0; i < queries; ++i)
      tokens.out.push_back(data_of<Element>(out) + batch * out.stride(0) + i * out.stride(1));
    const auto panels = head_of(0).panels();
    const auto grain = kKeyBlock / panel;
    at::parallel_for(0, heads * panels, grain, [&](std::int64_t first, std::int64_t last) {
      for (auto i = first; i < last; ++i)
        head_of(i / panels).pack(tokens, i / panels * channels, i % panels, i % panels + 1);
    });
    share_out(
        heads * blocks, [&] { return Scratch<Element>(variant, channels); },
        [&](Scratch<Element>& scratch, std::int64_t i) {
          const auto first = i % blocks * block;
          scratch.attend(tokens, i / blocks * channels, head_of(i / blocks), first,
                         std::min(first + block, queries));
        });
  }
}

/// The tokens of a window: those inside the grid, and for keys the filling for all others.
struct WindowPlace {
  std::int64_t batch, row, column;  ///< its first cell
  std::int64_t size;

  template <class Element, class Rows>
  void add(const torch::Tensor& grid, const Element* filling, Rows& rows) const {
    auto* data = data_of<Element>(grid) + batch * grid.stride(0);
    for (auto y = row; y < row + size; ++y)
      for (auto x = column; x < column + size; ++x) {
        if (y < grid.size(1) && x < grid.size(2))
          rows.push_back(data + y * grid.stride(1) + x * grid.stride(2));
        else if constexpr (std::is_const_v<std::remove_pointer_t<typename Rows::value_type>>)
          if (filling) rows.push_back(filling);
      }
  }
};

template <class Element>
void attend_in_windows(std::size_t variant, const torch::Tensor& q, const torch::Tensor& k,
                       const torch::Tensor& v,
                       const torch::Tensor& filling_k, const torch::Tensor& filling_v,
                       std::int64_t heads, std::int64_t window, const torch::Tensor& out) {
  const auto channels = q.size(3) / heads;
  const auto rows = at::divup(k.size(1), window), columns = at::divup(k.size(2), window);
  const auto step = q.size(1) == k.size(1) ? window : window / 2;
  const auto keys = window * window;
  const std::int64_t panel = kernels<Element>(variant).panel;
  struct Own {
    Tokens<Element> tokens;
    torch::Tensor packed;
    Scratch<Element> scratch;
  };
  share_out(
      q.size(0) * rows * columns,
      [&] {
        return Own{{},
                   torch::empty(PackedHead<Element>::size(keys, channels, panel), q.options()),
                   Scratch<Element>(variant, channels)};
      },
      [&](Own& own, std::int64_t i) {
        auto& tokens = own.tokens;
        tokens.clear();
        const auto batch = i / (rows * columns);
        const auto row = i / columns % rows, column = i % columns;
        const WindowPlace of_keys{batch, row * window, column * window, window};
        const WindowPlace of_queries{batch, row * step, column * step, step};
        of_keys.add<Element>(k, data_of<Element>(filling_k), tokens.keys);
        of_keys.add<Element>(v, data_of<Element>(filling_v), tokens.values);
        of_queries.add<Element>(q, nullptr, tokens.queries);
        of_queries.add<Element>(out, nullptr, tokens.out);
        const auto queries = static_cast<std::int64_t>(tokens.queries.size());
        const PackedHead<Element> head(data_of<Element>(own.packed), keys, channels, panel);
        for (std::int64_t h = 0; h < heads; ++h) {
          head.pack(tokens, h * channels, 0, head.panels());
          for (std::int64_t first = 0; first < queries; first += kQueries)
            own.scratch.attend(tokens, h * channels, head, first,
                               std::min(first + kQueries, queries));
        }
      });
}

#endif

torch::Tensor channels_together(const torch::Tensor& x) {
  return x.stride(-1) == 1 ? x : x.contiguous();
}

}  // namespace

bool dense_attention_available(const torch::Tensor& queries, std::int64_t channels) {
  if (!queries.is_cpu() || torch::GradMode::is_enabled() || channels % kLanes != 0) return false;
  return (queries.scalar_type() == torch::kFloat32 && !dense_variants().empty()) ||
         (queries.scalar_type() == torch::kBFloat16 && has_avx512_bf16());
}

torch::Tensor dense_attention([[maybe_unused]] const torch::Tensor& q,
                              [[maybe_unused]] const torch::Tensor& k,
                              [[maybe_unused]] const torch::Tensor& v, int heads,
                              [[maybe_unused]] std::size_t variant) {
  VOSTRACK_ASSERT(dense_attention_available(q, q.size(2) / heads) && k.sizes() == v.sizes() &&
                  q.size(0) == k.size(0) && q.size(2) == k.size(2));
  auto out = torch::empty(q.sizes(), q.options());
#ifdef VOSTRACK_X86_KERNELS
  const auto attend = q.scalar_type() == torch::kFloat32 ? attend_everywhere<float>
                                                         : attend_everywhere<std::uint16_t>;
  attend(variant, channels_together(q), channels_together(k),
         channels_together(v), heads, out);
#endif
  return out;
}

torch::Tensor window_attention(const torch::Tensor& q, const torch::Tensor& k,
                               const torch::Tensor& v,
                               [[maybe_unused]] const torch::Tensor& filling_k,
                               [[maybe_unused]] const torch::Tensor& filling_v, int heads,
                               [[maybe_unused]] int window, [[maybe_unused]] std::size_t variant) {
  VOSTRACK_ASSERT(dense_attention_available(q, q.size(3) / heads) && k.sizes() == v.sizes() &&
                  q.size(0) == k.size(0) && q.size(3) == k.size(3));
  VOSTRACK_ASSERT(q.size(1) == k.size(1) || (2 * q.size(1) == k.size(1) && window % 2 == 0));
  auto out = torch::empty(q.sizes(), q.options());
#ifdef VOSTRACK_X86_KERNELS
  const auto attend = q.scalar_type() == torch::kFloat32 ? attend_in_windows<float>
                                                         : attend_in_windows<std::uint16_t>;
  attend(variant, channels_together(q), channels_together(k),
         channels_together(v), filling_k.contiguous(), filling_v.contiguous(), heads, window, out);
#endif
  return out;
}

std::span<const MatrixKernels<float>> dense_variants() {
  static const auto variants = [] {
    std::vector<MatrixKernels<float>> found;
#ifdef VOSTRACK_X86_KERNELS
    if (has_avx512()) found.push_back(kMatrixAvx512);
    if (has_avx2()) found.push_back(kMatrixAvx2);
#endif
    return found;
  }();
  return variants;
}

}  // namespace vostrack::nn
