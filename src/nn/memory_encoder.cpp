#include "nn/memory_encoder.hpp"

namespace vostrack::nn {
namespace {

constexpr int kTotalStride = 16;

PackedConvolution pack(const Conv2d& conv, std::int64_t side, std::int64_t stride = 1,
                       std::int64_t padding = 0, std::int64_t groups = 1) {
  return PackedConvolution(conv->weight, conv->bias, stride, padding, groups,
                           PackedConvolution::Then::kNothing, side);
}

torch::Tensor run(Conv2d& conv, const PackedConvolution& packed, const torch::Tensor& x) {
  return packed.defined() ? packed(x) : conv->forward(x);
}

}  // namespace

MaskDownSamplerImpl::MaskDownSamplerImpl(const MemoryEncoderConfig& config, int embed_dim)
    : stride_(config.mask_downsampler_stride), padding_(config.mask_downsampler_padding) {
  auto encoder = register_module("encoder", torch::nn::ModuleDict());
  const int stride = stride_;
  int index = 0;
  int channels = 1;
  for (int total = stride; total <= kTotalStride; total *= stride) {
    const int wider = channels * stride * stride;
    convs_.push_back(conv2d(channels, wider, config.mask_downsampler_kernel_size, stride,
                            padding_));
    norms_.emplace_back(wider);
    encoder->register_module(std::to_string(index), convs_.back());
    encoder->register_module(std::to_string(index + 1), norms_.back());
    index += 3;  // an activation without parameters follows
    channels = wider;
  }
  convs_.push_back(conv2d(channels, embed_dim, 1));
  encoder->register_module(std::to_string(index), convs_.back());
}

torch::Tensor MaskDownSamplerImpl::forward(torch::Tensor x) {
  const auto convolved = [&](std::size_t i) {
    return run(convs_[i], packed_.empty() ? PackedConvolution() : packed_[i], x);
  };
  for (std::size_t i = 0; i < norms_.size(); ++i) x = norms_[i]->forward_gelu(convolved(i));
  return convolved(norms_.size());
}

void MaskDownSamplerImpl::prepare_for_inference(std::int64_t size) {
  packed_.clear();
  for (std::size_t i = 0; i < norms_.size(); ++i) {
    packed_.push_back(pack(convs_[i], size, stride_, padding_));
    size = (size + stride_ - 1) / stride_;
  }
  packed_.push_back(pack(convs_.back(), size));
}

CxBlockImpl::CxBlockImpl(const MemoryEncoderConfig& config, int dim)
    : padding_(config.fuser_padding),
      groups_(config.fuser_use_dwconv ? dim : 1),
      dwconv_(register_module(
          "dwconv", conv2d(dim, dim, config.fuser_kernel_size, 1, padding_, groups_))),
      norm_(register_module("norm", LayerNorm2d(dim))),
      pwconv1_(register_module("pwconv1", Linear(dim, 4 * dim))),
      pwconv2_(register_module("pwconv2", Linear(4 * dim, dim))) {
  if (config.fuser_layer_scale_init_value > 0)
    gamma_ = register_parameter("gamma", torch::full(dim, config.fuser_layer_scale_init_value));
}

torch::Tensor CxBlockImpl::forward(const torch::Tensor& x) {
  auto y = norm_->forward(run(dwconv_, packed_, x)).permute({0, 2, 3, 1});
  y = pwconv1_->forward_both(y, Activation::kGelu, *pwconv2_);
  if (gamma_.defined()) y = gamma_ * y;
  return x + y.permute({0, 3, 1, 2});
}

void CxBlockImpl::prepare_for_inference(std::int64_t side) {
  packed_ = pack(dwconv_, side, 1, padding_, groups_);
}

MemoryEncoderImpl::MemoryEncoderImpl(const ModelConfig& config)
    : mask_downsampler_(register_module(
          "mask_downsampler", MaskDownSampler(config.memory_encoder, config.neck.d_model))),
      pix_feat_proj_(
          register_module("pix_feat_proj", conv2d(config.neck.d_model, config.neck.d_model, 1))) {
  auto fuser = register_module("fuser", torch::nn::ModuleDict());
  torch::nn::ModuleList list;
  for (int i = 0; i < config.memory_encoder.fuser_num_layers; ++i) {
    fuser_.emplace_back(config.memory_encoder, config.neck.d_model);
    list->push_back(fuser_.back());
  }
  fuser->register_module("layers", list);
  if (config.memory_encoder.out_dim != config.neck.d_model)
    out_proj_ =
        register_module("out_proj", conv2d(config.neck.d_model, config.memory_encoder.out_dim, 1));
}

torch::Tensor MemoryEncoderImpl::forward(const torch::Tensor& features, const torch::Tensor& mask) {
  // The mask's term first: sums take its order in memory.
  auto x = mask_downsampler_->forward(mask) + run(pix_feat_proj_, packed_pix_, features);
  for (auto& block : fuser_) x = block->forward(x);
  return out_proj_ ? run(out_proj_, packed_out_, x) : x;
}

void MemoryEncoderImpl::prepare_for_inference(std::int64_t size) {
  const auto side = size / kTotalStride;
  mask_downsampler_->prepare_for_inference(size);
  packed_pix_ = pack(pix_feat_proj_, side);
  for (auto& block : fuser_) block->prepare_for_inference(side);
  if (out_proj_) packed_out_ = pack(out_proj_, side);
}

}  // namespace vostrack::nn
