/// From a picture's features and prompts to masks.
#pragma once

#include <torch/nn.h>

#include <vector>

#include "nn/layers.hpp"
#include "nn/model_config.hpp"
#include "nn/two_way_transformer.hpp"

namespace vostrack::nn {

struct DecodedMasks {
  torch::Tensor masks;         ///< (B, M, S/4, S/4) float32 logits; M is 3 or 1
  torch::Tensor iou;           ///< (B, M) float32, predicted
  torch::Tensor tokens;        ///< (B, 3 or 1, C): output tokens for the object pointer
  torch::Tensor object_score;  ///< (B, 1) float32 logit; 10 where the network predicts none
};

/// Source: sam2/modeling/sam/mask_decoder.py
class MaskDecoderImpl : public torch::nn::Module {
 public:
  explicit MaskDecoderImpl(const ModelConfig& config);

  /// @param image  (B, C, h, w)
  /// @param image_pe  (1, C, h, w)
  /// @param sparse  (B, N, C)
  /// @param dense  (B, C, h, w), may be expanded
  /// @param high_res  levels 0 and 1 after project_high_res, or empty when the configuration
  ///   does without; batch 1 or B
  /// @param multimask  three masks instead of one
  DecodedMasks forward(const torch::Tensor& image, const torch::Tensor& image_pe,
                       const torch::Tensor& sparse, const torch::Tensor& dense,
                       const std::vector<torch::Tensor>& high_res, bool multimask);

  /// The convolutions that bring a picture's levels 0 and 1 to the decoder's width; done once per
  /// picture.
  torch::Tensor project_level0(const torch::Tensor& x) { return conv_s0_->forward(x); }
  torch::Tensor project_level1(const torch::Tensor& x) { return conv_s1_->forward(x); }

 private:
  struct AllMasks {
    torch::Tensor masks, iou, tokens, object_score;
  };
  AllMasks predict(const torch::Tensor& image, const torch::Tensor& image_pe,
                   const torch::Tensor& sparse, const torch::Tensor& dense,
                   const std::vector<torch::Tensor>& high_res);
  std::pair<torch::Tensor, torch::Tensor> stable_or_best(const torch::Tensor& masks,
                                                         const torch::Tensor& iou) const;

  BaseConfig config_;
  TwoWayTransformer transformer_;
  torch::nn::Embedding iou_token_, mask_tokens_, obj_score_token_{nullptr};
  torch::nn::ConvTranspose2d upscale0_{nullptr}, upscale3_{nullptr};
  LayerNorm2d upscale_norm_{nullptr};
  Conv2d conv_s0_{nullptr}, conv_s1_{nullptr};
  std::vector<Mlp> hypernetworks_;
  Mlp iou_head_;
  Mlp score_mlp_{nullptr};
  Linear score_linear_{nullptr};
};
TORCH_MODULE(MaskDecoder);

}  // namespace vostrack::nn
