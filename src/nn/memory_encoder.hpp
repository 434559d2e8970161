/// A picture's features and an object's mask, fused into a memory.
#pragma once

#include <torch/nn.h>

#include <vector>

#include "nn/layers.hpp"
#include "nn/model_config.hpp"
#include "nn/packed_convolution.hpp"

namespace vostrack::nn {

/// Source: sam2/modeling/memory_encoder.py, MaskDownSampler
class MaskDownSamplerImpl : public torch::nn::Module {
 public:
  MaskDownSamplerImpl(const MemoryEncoderConfig& config, int embed_dim);
  /// (B, 1, S, S) → (B, embed_dim, S/16, S/16)
  torch::Tensor forward(torch::Tensor x);
  /// For masks of S × S. The weights must not change afterwards.
  void prepare_for_inference(std::int64_t size);

 private:
  int stride_, padding_;
  std::vector<Conv2d> convs_;
  std::vector<PackedConvolution> packed_;  ///< as many, or none
  std::vector<LayerNorm2d> norms_;
};
TORCH_MODULE(MaskDownSampler);

/// A ConvNeXt block.
///
/// Source: sam2/modeling/memory_encoder.py, CXBlock
class CxBlockImpl : public torch::nn::Module {
 public:
  CxBlockImpl(const MemoryEncoderConfig& config, int dim);
  torch::Tensor forward(const torch::Tensor& x);
  /// For grids of `side` × `side`. The weights must not change afterwards.
  void prepare_for_inference(std::int64_t side);

 private:
  int padding_, groups_;
  PackedConvolution packed_;
  Conv2d dwconv_;
  LayerNorm2d norm_;
  Linear pwconv1_, pwconv2_;
  torch::Tensor gamma_;
};
TORCH_MODULE(CxBlock);

/// Source: sam2/modeling/memory_encoder.py, MemoryEncoder
class MemoryEncoderImpl : public torch::nn::Module {
 public:
  explicit MemoryEncoderImpl(const ModelConfig& config);
  /// @param features  (1 or B, C, S/16, S/16), raw (without no-memory embedding)
  /// @param mask  (B, 1, S, S), scaled and shifted probabilities
  /// @return (B, out_dim, S/16, S/16)
  torch::Tensor forward(const torch::Tensor& features, const torch::Tensor& mask);
  /// For masks of S × S. The weights must not change afterwards.
  void prepare_for_inference(std::int64_t size);

 private:
  MaskDownSampler mask_downsampler_;
  Conv2d pix_feat_proj_;
  std::vector<CxBlock> fuser_;
  Conv2d out_proj_{nullptr};
  PackedConvolution packed_pix_, packed_out_;
};
TORCH_MODULE(MemoryEncoder);

}  // namespace vostrack::nn
