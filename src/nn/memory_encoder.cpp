#include "nn/memory_encoder.hpp"

namespace vostrack::nn {
namespace {
constexpr int kTotalStride = 16;
}

MaskDownSamplerImpl::MaskDownSamplerImpl(const MemoryEncoderConfig& config, int embed_dim) {
  auto encoder = register_module("encoder", torch::nn::ModuleDict());
  const int stride = config.mask_downsampler_stride;
  int index = 0;
  int channels = 1;
  for (int total = stride; total <= kTotalStride; total *= stride) {
    const int wider = channels * stride * stride;
    convs_.push_back(conv2d(channels, wider, config.mask_downsampler_kernel_size, stride,
                            config.mask_downsampler_padding));
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
  for (std::size_t i = 0; i < norms_.size(); ++i)
    x = torch::gelu(norms_[i]->forward(convs_[i]->forward(x)));
  return convs_.back()->forward(x);
}

CxBlockImpl::CxBlockImpl(const MemoryEncoderConfig& config, int dim)
    : dwconv_(register_module("dwconv",
                              conv2d(dim, dim, config.fuser_kernel_size, 1, config.fuser_padding,
                                     config.fuser_use_dwconv ? dim : 1))),
      norm_(register_module("norm", LayerNorm2d(dim))),
      pwconv1_(register_module("pwconv1", Linear(dim, 4 * dim))),
      pwconv2_(register_module("pwconv2", Linear(4 * dim, dim))) {
  if (config.fuser_layer_scale_init_value > 0)
    gamma_ = register_parameter("gamma", torch::full(dim, config.fuser_layer_scale_init_value));
}

torch::Tensor CxBlockImpl::forward(const torch::Tensor& x) {
  auto y = norm_->forward(dwconv_->forward(x)).permute({0, 2, 3, 1});
  y = pwconv2_->forward(pwconv1_->forward(y, Activation::kGelu));
  if (gamma_.defined()) y = gamma_ * y;
  return x + y.permute({0, 3, 1, 2});
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
  auto x = pix_feat_proj_->forward(features) + mask_downsampler_->forward(mask);
  for (auto& block : fuser_) x = block->forward(x);
  return out_proj_ ? out_proj_->forward(x) : x;
}

}  // namespace vostrack::nn
