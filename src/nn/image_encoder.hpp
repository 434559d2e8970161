/// Trunk and feature pyramid.
#pragma once

#include <torch/nn.h>

#include <memory>
#include <vector>

#include "nn/layers.hpp"
#include "nn/model_config.hpp"
#include "nn/trunk.hpp"

namespace vostrack::nn {

/// Brings the trunk's outputs to one width and adds coarse features to finer ones.
///
/// Source: sam2/modeling/backbones/image_encoder.py, FpnNeck
class FpnNeckImpl : public torch::nn::Module {
 public:
  /// @param channels  of the trunk's outputs, finest first
  FpnNeckImpl(const NeckConfig& config, const std::vector<int>& channels);
  /// @param levels  the trunk's outputs, finest first
  /// @return as many levels, each (B, d_model, H, W)
  std::vector<torch::Tensor> forward(const std::vector<torch::Tensor>& levels);

 private:
  NeckConfig config_;
  std::vector<Conv2d> convs_;  ///< coarsest first, as in checkpoints
};
TORCH_MODULE(FpnNeck);

/// Source: sam2/modeling/backbones/image_encoder.py, ImageEncoder
class ImageEncoderImpl : public torch::nn::Module {
 public:
  explicit ImageEncoderImpl(const ModelConfig& config);
  /// @param picture  (B, 3, S, S), normalised
  /// @return levels, finest first, each (B, d_model, S/stride, S/stride)
  std::vector<torch::Tensor> forward(const torch::Tensor& picture);

  const std::shared_ptr<Trunk>& trunk() const { return trunk_; }
  FpnNeck& neck() { return neck_; }

 private:
  int scalp_;
  std::shared_ptr<Trunk> trunk_;
  FpnNeck neck_{nullptr};
};
TORCH_MODULE(ImageEncoder);

}  // namespace vostrack::nn
