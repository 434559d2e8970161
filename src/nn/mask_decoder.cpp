#include "nn/mask_decoder.hpp"

namespace vostrack::nn {
namespace {
// Fixed in the reference: sam2/modeling/sam2_base.py, _build_sam_heads
constexpr int kMaskTokens = 4;  // one for a single mask, three for proposals
constexpr int kDepth = 2;
constexpr int kHeads = 8;
constexpr int kMlpDim = 2048;
constexpr int kIouHidden = 256;
constexpr int kIouDepth = 3;
constexpr double kPresent = 10.0;

torch::nn::ConvTranspose2d double_size(int in, int out) {
  return torch::nn::ConvTranspose2d(torch::nn::ConvTranspose2dOptions(in, out, 2).stride(2));
}
}  // namespace

MaskDecoderImpl::MaskDecoderImpl(const ModelConfig& config)
    : config_(config.model),
      transformer_(register_module(
          "transformer", TwoWayTransformer(kDepth, config.neck.d_model, kHeads, kMlpDim))),
      iou_token_(register_module("iou_token", torch::nn::Embedding(1, config.neck.d_model))),
      mask_tokens_(
          register_module("mask_tokens", torch::nn::Embedding(kMaskTokens, config.neck.d_model))),
      iou_head_(register_module("iou_prediction_head",
                                Mlp(config.neck.d_model, kIouHidden, kMaskTokens, kIouDepth,
                                    Activation::kRelu, config.model.iou_prediction_use_sigmoid))) {
  const int dim = config.neck.d_model;
  auto upscaling = register_module("output_upscaling", torch::nn::ModuleDict());
  upscale0_ = double_size(dim, dim / 4);
  upscale_norm_ = LayerNorm2d(dim / 4);
  upscale3_ = double_size(dim / 4, dim / 8);
  upscaling->register_module("0", upscale0_);
  upscaling->register_module("1", upscale_norm_);
  upscaling->register_module("3", upscale3_);
  if (config_.use_high_res_features_in_sam) {
    conv_s0_ = register_module("conv_s0", conv2d(dim, dim / 8, 1));
    conv_s1_ = register_module("conv_s1", conv2d(dim, dim / 4, 1));
  }
  torch::nn::ModuleList list;
  for (int i = 0; i < kMaskTokens; ++i) {
    hypernetworks_.emplace_back(dim, dim, dim / 8, 3);
    list->push_back(hypernetworks_.back());
  }
  register_module("output_hypernetworks_mlps", list);
  if (config_.pred_obj_scores) {
    obj_score_token_ = register_module("obj_score_token", torch::nn::Embedding(1, dim));
    if (config_.pred_obj_scores_mlp)
      score_mlp_ = register_module("pred_obj_score_head", Mlp(dim, dim, 1, 3));
    else
      score_linear_ = register_module("pred_obj_score_head", Linear(dim, 1));
  }
}

DecodedMasks MaskDecoderImpl::forward(const torch::Tensor& image, const torch::Tensor& image_pe,
                                      const torch::Tensor& sparse, const torch::Tensor& dense,
                                      const std::vector<torch::Tensor>& high_res, bool multimask) {
  auto all = predict(image, image_pe, sparse, dense, high_res);
  DecodedMasks out;
  out.object_score = all.object_score;
  if (multimask) {
    out.masks = all.masks.slice(1, 1);
    out.iou = all.iou.slice(1, 1);
  } else if (config_.dynamic_multimask_via_stability && !is_training()) {
    std::tie(out.masks, out.iou) = stable_or_best(all.masks, all.iou);
  } else {
    out.masks = all.masks.slice(1, 0, 1);
    out.iou = all.iou.slice(1, 0, 1);
  }
  // The pointer of a single mask is token 0's even where another mask replaced it.
  out.tokens = multimask && config_.use_multimask_token_for_obj_ptr ? all.tokens.slice(1, 1)
                                                                    : all.tokens.slice(1, 0, 1);
  return out;
}

MaskDecoderImpl::AllMasks MaskDecoderImpl::predict(const torch::Tensor& image,
                                                   const torch::Tensor& image_pe,
                                                   const torch::Tensor& sparse,
                                                   const torch::Tensor& dense,
                                                   const std::vector<torch::Tensor>& high_res) {
  const auto batch = sparse.size(0);
  std::vector<torch::Tensor> own;
  if (obj_score_token_) own.push_back(obj_score_token_->weight);
  own.push_back(iou_token_->weight);
  own.push_back(mask_tokens_->weight);
  auto own_tokens = torch::cat(own).unsqueeze(0).expand({batch, -1, -1});
  const int first = obj_score_token_ ? 1 : 0;

  auto source = image + dense;
  auto [tokens, keys] =
      transformer_->forward(source, image_pe, torch::cat({own_tokens, sparse}, 1));
  auto mask_tokens = tokens.slice(1, first + 1, first + 1 + kMaskTokens);

  // Tokens are a grid with its channels last in memory, as it stays: the other order is slower.
  constexpr auto kLast = torch::MemoryFormat::ChannelsLast;
  auto features = keys.transpose(1, 2).view(source.sizes());
  auto upscaled = upscale0_->forward(features);
  if (config_.use_high_res_features_in_sam) upscaled = upscaled + high_res[1].contiguous(kLast);
  upscaled = upscale3_->forward(upscale_norm_->forward_gelu(upscaled));
  if (config_.use_high_res_features_in_sam) upscaled = upscaled + high_res[0].contiguous(kLast);
  upscaled = torch::gelu(upscaled);

  std::vector<torch::Tensor> weights;
  for (int i = 0; i < kMaskTokens; ++i)
    weights.push_back(hypernetworks_[i]->forward(mask_tokens.select(1, i)));
  AllMasks out;
  out.masks = torch::matmul(torch::stack(weights, 1), upscaled.flatten(2))
                  .view({batch, kMaskTokens, upscaled.size(2), upscaled.size(3)});
  out.tokens = mask_tokens;
  out.iou = iou_head_->forward(tokens.select(1, first));
  if (score_mlp_)
    out.object_score = score_mlp_->forward(tokens.select(1, 0));
  else if (score_linear_)
    out.object_score = score_linear_->forward(tokens.select(1, 0));
  else
    out.object_score = torch::full({batch, 1}, kPresent, out.iou.options());
  return out;
}

std::pair<torch::Tensor, torch::Tensor> MaskDecoderImpl::stable_or_best(
    const torch::Tensor& masks, const torch::Tensor& iou) const {
  // Stability: IoU of the mask at a threshold a little above and a little below zero.
  const double delta = config_.dynamic_multimask_stability_delta;
  auto single = masks.slice(1, 0, 1);
  auto flat = single.flatten(2);
  auto inner = (flat > delta).sum(-1).to(torch::kFloat32);
  auto outer = (flat > -delta).sum(-1).to(torch::kFloat32);
  auto stability = torch::where(outer > 0, inner / outer, torch::ones_like(outer));  // (B, 1)
  auto stable = stability >= config_.dynamic_multimask_stability_thresh;

  auto best = iou.slice(1, 1).argmax(1) + 1;
  auto rows = torch::arange(masks.size(0), best.options());
  auto best_masks = masks.index({rows, best}).unsqueeze(1);
  auto best_iou = iou.index({rows, best}).unsqueeze(1);
  return {torch::where(stable.view({-1, 1, 1, 1}), single, best_masks),
          torch::where(stable, iou.slice(1, 0, 1), best_iou)};
}

}  // namespace vostrack::nn
