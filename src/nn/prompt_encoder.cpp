#include "nn/prompt_encoder.hpp"

namespace vostrack::nn {
namespace {
constexpr int kMaskChannels = 16;
}

PromptEncoderImpl::PromptEncoderImpl(int embed_dim, int image_size, int feature_size)
    : image_size_(image_size),
      feature_size_(feature_size),
      pe_layer_(register_module("pe_layer", RandomPositionEncoding(embed_dim / 2))),
      not_a_point_embed_(register_module("not_a_point_embed", torch::nn::Embedding(1, embed_dim))),
      no_mask_embed_(register_module("no_mask_embed", torch::nn::Embedding(1, embed_dim))) {
  torch::nn::ModuleList points;
  for (int i = 0; i < 4; ++i) {
    point_embeddings_.emplace_back(1, embed_dim);
    points->push_back(point_embeddings_.back());
  }
  register_module("point_embeddings", points);

  auto down = register_module("mask_downscaling", torch::nn::ModuleDict());
  const auto add = [&](const char* name, auto layer) {
    down->register_module(name, layer);
    return layer;
  };
  mask_conv0_ = add("0", conv2d(1, kMaskChannels / 4, 2, 2));
  mask_norm1_ = add("1", LayerNorm2d(kMaskChannels / 4));
  mask_conv3_ = add("3", conv2d(kMaskChannels / 4, kMaskChannels, 2, 2));
  mask_norm4_ = add("4", LayerNorm2d(kMaskChannels));
  mask_conv6_ = add("6", conv2d(kMaskChannels, embed_dim, 1));
}

torch::Tensor PromptEncoderImpl::embed_points(const torch::Tensor& coords,
                                              const torch::Tensor& labels) {
  const auto batch = coords.size(0);
  auto points = torch::cat({coords + 0.5, torch::zeros({batch, 1, 2}, coords.options())}, 1);
  auto kinds =
      torch::cat({labels, torch::full({batch, 1}, kPadding, labels.options())}, 1).to(torch::kLong);
  auto table = torch::cat({not_a_point_embed_->weight, point_embeddings_[0]->weight,
                           point_embeddings_[1]->weight, point_embeddings_[2]->weight,
                           point_embeddings_[3]->weight});
  auto encoded = pe_layer_->encode(points / image_size_);
  auto real = (kinds != static_cast<int>(kPadding)).unsqueeze(-1);
  return torch::where(real, encoded, torch::zeros_like(encoded)) +
         table.index_select(0, (kinds + 1).flatten()).view(encoded.sizes());
}

torch::Tensor PromptEncoderImpl::embed_mask(const torch::Tensor& mask, std::int64_t batch) {
  if (!mask.defined())
    return no_mask_embed_->weight.reshape({1, -1, 1, 1})
        .expand({batch, -1, feature_size_, feature_size_});
  auto x = mask_norm1_->forward_gelu(mask_conv0_->forward(mask));
  x = mask_norm4_->forward_gelu(mask_conv3_->forward(x));
  return mask_conv6_->forward(x);
}

torch::Tensor PromptEncoderImpl::dense_position_encoding() {
  return pe_layer_->encode_grid(feature_size_);
}

}  // namespace vostrack::nn
