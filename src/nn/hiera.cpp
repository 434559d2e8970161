#include "nn/hiera.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "nn/dense_attention.hpp"
#include "nn/layers.hpp"

namespace vostrack::nn {
namespace {

/// Height and width of a grid of tokens.
struct Grid {
  std::int64_t height, width;
};

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

/// (B, H, W, C) → (B · windows, size, size, C), zeros added at the right and bottom.
torch::Tensor window_partition(torch::Tensor x, int size) {
  const auto height = round_up(x.size(1), size);
  const auto width = round_up(x.size(2), size);
  if (height != x.size(1) || width != x.size(2))
    x = torch::constant_pad_nd(x, {0, 0, 0, width - x.size(2), 0, height - x.size(1)});
  return x.reshape({x.size(0), height / size, size, width / size, size, x.size(3)})
      .permute({0, 1, 3, 2, 4, 5})
      .reshape({-1, size, size, x.size(3)});
}

/// The way back, to a grid without the added zeros.
torch::Tensor window_unpartition(const torch::Tensor& windows, int size, Grid grid) {
  const auto rows = round_up(grid.height, size) / size;
  const auto columns = round_up(grid.width, size) / size;
  auto x = windows.reshape({-1, rows, columns, size, size, windows.size(-1)})
               .permute({0, 1, 3, 2, 4, 5})
               .reshape({-1, rows * size, columns * size, windows.size(-1)});
  return x.slice(1, 0, grid.height).slice(2, 0, grid.width);
}

/// 2×2 maximum over (B, H, W, C).
torch::Tensor max_pool(const torch::Tensor& x) {
  return torch::max_pool2d(x.permute({0, 3, 1, 2}), 2, 2).permute({0, 2, 3, 1});
}

class MultiScaleAttentionImpl : public torch::nn::Module {
 public:
  MultiScaleAttentionImpl(int dim, int dim_out, int num_heads, bool pool_queries)
      : heads_(num_heads),
        pool_queries_(pool_queries),
        qkv_(register_module("qkv", Linear(dim, 3 * dim_out))),
        proj_(register_module("proj", Linear(dim_out, dim_out))) {}

  /// In windows of a whole grid.
  ///
  /// @param window  0: the grid is one window
  /// @return nothing where the plain form is to be used
  std::optional<torch::Tensor> forward_blocked(const torch::Tensor& x, int window) {
    const auto dim = proj_->options.out_features();
    if (!dense_attention_available(x, dim / heads_) || (pool_queries_ && window % 2 != 0))
      return std::nullopt;
    const auto parts = qkv_->forward(x).chunk(3, 3);
    const auto query = pool_queries_ ? max_pool(parts[0]) : parts[0];
    if (window > 0) {
      const auto filling = qkv_->bias.chunk(3);
      return proj_->forward(
          window_attention(query, parts[1], parts[2], filling[1], filling[2], heads_, window));
    }
    const auto tokens = [](const torch::Tensor& grid) { return grid.flatten(1, 2); };
    return proj_->forward(dense_attention(tokens(query), tokens(parts[1]), tokens(parts[2]), heads_)
                              .view(query.sizes()));
  }

  /// (B, H, W, dim) → (B, H', W', dim_out)
  torch::Tensor forward(const torch::Tensor& x) {
    const auto batch = x.size(0);
    auto height = x.size(1);
    auto width = x.size(2);
    auto parts =
        qkv_->forward(x).reshape({batch, height * width, 3, heads_, -1}).unbind(2);  // B, N, h, c
    auto query = parts[0];
    if (pool_queries_) {
      query = max_pool(query.reshape({batch, height, width, -1}));
      height = query.size(1);
      width = query.size(2);
      query = query.reshape({batch, height * width, heads_, -1});
    }
    auto out = torch::scaled_dot_product_attention(query.transpose(1, 2), parts[1].transpose(1, 2),
                                                   parts[2].transpose(1, 2));
    return proj_->forward(out.transpose(1, 2).reshape({batch, height, width, -1}));
  }

 private:
  int heads_;
  bool pool_queries_;
  Linear qkv_, proj_;
};
TORCH_MODULE(MultiScaleAttention);

class MultiScaleBlockImpl : public torch::nn::Module {
 public:
  MultiScaleBlockImpl(int dim, int dim_out, int num_heads, bool pool, int window)
      : pool_(pool),
        window_(window),
        norm1_(register_module("norm1", LayerNorm(dim, 1e-6))),
        norm2_(register_module("norm2", LayerNorm(dim_out, 1e-6))),
        attn_(register_module("attn", MultiScaleAttention(dim, dim_out, num_heads, pool))),
        mlp_(register_module("mlp", Mlp(dim_out, 4 * dim_out, dim_out, 2, Activation::kGelu))) {
    if (dim != dim_out) proj_ = register_module("proj", Linear(dim, dim_out));
  }

  torch::Tensor forward(const torch::Tensor& x) {
    if (torch::GradMode::is_enabled() || !x.is_cpu()) {
      auto out = attend(x);
      return out + mlp_->forward(norm2_->forward(out));
    }
    // In pieces whose intermediate results, up to four times as wide, stay in the cache: rows of
    // windows, or of tokens where the whole picture was attended to.
    if (window_ == 0) {
      auto out = attend(x).contiguous();
      const auto channels = out.size(3);
      for (auto& rows : out.view({-1, channels}).split(kPieceTokens)) rows.add_(feed(rows));
      return out;
    }
    const auto step = window_ * std::max<std::int64_t>(1, kPieceTokens / (window_ * x.size(2)));
    std::vector<torch::Tensor> pieces;
    for (auto& rows : x.split(step, 1)) {
      pieces.push_back(attend(rows));
      pieces.back().add_(feed(pieces.back()));
    }
    return torch::cat(pieces, 1);
  }

 private:
  static constexpr std::int64_t kPieceTokens = 2048;

  /// The first half of the block, without which the second can be done in pieces.
  torch::Tensor attend(const torch::Tensor& x) {
    auto normed = norm1_->forward(x);
    auto shortcut = x;
    if (proj_) {
      shortcut = proj_->forward(normed);
      if (pool_) shortcut = max_pool(shortcut);
    }
    if (auto attended = attn_->forward_blocked(normed, window_)) return shortcut + *attended;
    auto attended = attn_->forward(window_ > 0 ? window_partition(normed, window_) : normed);
    if (window_ > 0)
      attended = window_unpartition(attended, pool_ ? window_ / 2 : window_,
                                    {shortcut.size(1), shortcut.size(2)});
    return shortcut + attended;
  }

  /// What the second half adds.
  torch::Tensor feed(const torch::Tensor& x) { return mlp_->forward(norm2_->forward(x)); }

  bool pool_;
  int window_;  ///< 0: attention over the whole picture
  LayerNorm norm1_, norm2_;
  MultiScaleAttention attn_;
  Mlp mlp_;
  Linear proj_{nullptr};
};
TORCH_MODULE(MultiScaleBlock);

/// The 7×7 convolution in front, under the name `patch_embed.proj`.
class PatchEmbedImpl : public torch::nn::Module {
 public:
  explicit PatchEmbedImpl(int dim) : proj_(register_module("proj", conv2d(3, dim, 7, 4, 3))) {}
  /// (B, 3, S, S) → (B, S/4, S/4, dim). Channels last in memory too: sums take the order of their
  /// first term, so another one would stay until the end of the stage.
  torch::Tensor forward(const torch::Tensor& x) {
    return proj_->forward(x.contiguous(at::MemoryFormat::ChannelsLast))
        .permute({0, 2, 3, 1})
        .contiguous();
  }

 private:
  Conv2d proj_;
};
TORCH_MODULE(PatchEmbed);

class Hiera : public Trunk {
 public:
  explicit Hiera(const TrunkConfig& config)
      : patch_embed_(register_module("patch_embed", PatchEmbed(config.embed_dim))) {
    const auto& background = config.window_pos_embed_bkg_spatial_size;
    const int window = config.window_spec[0];
    pos_embed_ = register_parameter(
        "pos_embed", torch::zeros({1, config.embed_dim, background[0], background[1]}));
    pos_embed_window_ =
        register_parameter("pos_embed_window", torch::zeros({1, config.embed_dim, window, window}));

    torch::nn::ModuleList list;
    int dim = config.embed_dim;
    int heads = config.num_heads;
    int index = 0;
    for (std::size_t stage = 0; stage < config.stages.size(); ++stage) {
      for (int i = 0; i < config.stages[stage]; ++i, ++index) {
        const bool shift = stage > 0 && i == 0;
        // The first block of a stage still sees the windows of the stage before.
        int size = config.window_spec[shift ? stage - 1 : stage];
        if (std::ranges::count(config.global_att_blocks, index) > 0) size = 0;
        int dim_out = dim;
        if (shift) {
          dim_out = static_cast<int>(dim * config.dim_mul);
          heads = static_cast<int>(heads * config.head_mul);
        }
        const bool pool = shift && static_cast<int>(stage) <= config.q_pool;
        blocks_.emplace_back(dim, dim_out, heads, pool, size);
        list->push_back(blocks_.back());
        dim = dim_out;
      }
      stage_ends_.insert(index - 1);
      channels_.push_back(dim);
    }
    register_module("blocks", list);
  }

  std::vector<torch::Tensor> forward(const torch::Tensor& picture) override {
    auto x = patch_embed_->forward(picture);
    x = x + position_embedding(x.size(1), x.size(2)).to(x.scalar_type());
    std::vector<torch::Tensor> outputs;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      x = blocks_[i]->forward(x);
      if (stage_ends_.count(static_cast<int>(i)) > 0) outputs.push_back(x.permute({0, 3, 1, 2}));
    }
    return outputs;
  }

  std::vector<int> channels() const override { return channels_; }

  void prepare_for_inference(int image_size, const torch::TensorOptions& options) override {
    prepared_ = torch::Tensor();
    prepared_ = position_embedding(image_size / 4, image_size / 4).contiguous().to(options);
  }

 private:
  /// (1, H, W, C)
  torch::Tensor position_embedding(std::int64_t height, std::int64_t width) const {
    if (prepared_.defined() && prepared_.size(1) == height && prepared_.size(2) == width)
      return prepared_;
    auto embedding = at::upsample_bicubic2d(pos_embed_.to(torch::kFloat32), {height, width}, false);
    embedding = embedding + pos_embed_window_.tile({1, 1, height / pos_embed_window_.size(2),
                                                    width / pos_embed_window_.size(3)});
    return embedding.permute({0, 2, 3, 1});
  }

  PatchEmbed patch_embed_;
  torch::Tensor pos_embed_, pos_embed_window_, prepared_;
  std::vector<MultiScaleBlock> blocks_;
  std::set<int> stage_ends_;
  std::vector<int> channels_;
};

}  // namespace

std::shared_ptr<Trunk> make_hiera(const TrunkConfig& config) {
  return std::make_shared<Hiera>(config);
}

}  // namespace vostrack::nn
