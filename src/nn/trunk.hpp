/// The image encoder's trunk: a picture to four feature maps.
#pragma once

#include <torch/nn.h>

#include <memory>
#include <vector>

#include "nn/model_config.hpp"

namespace vostrack::nn {

class Trunk : public torch::nn::Module {
 public:
  /// @param x  (B, 3, S, S), normalised
  /// @return features at strides 4, 8, 16 and 32: (B, C, S/stride, S/stride)
  virtual std::vector<torch::Tensor> forward(const torch::Tensor& x) = 0;

  /// Channels of the outputs, finest first.
  virtual std::vector<int> channels() const = 0;

  /// The dtype that inference runs in where `wanted` was asked for.
  virtual torch::ScalarType inference_dtype(torch::ScalarType wanted) const { return wanted; }

  /// Computes what depends on weights and image size alone, once, for inference in the device and
  /// dtype of `options`. The weights must not change afterwards.
  virtual void prepare_for_inference(int image_size, const torch::TensorOptions& options) = 0;
};

/// The trunk that the configuration names. A new one is a file with its class and a line here.
///
/// @throws Error kInvalidArgument for an unknown type
std::shared_ptr<Trunk> make_trunk(const TrunkConfig& config);

}  // namespace vostrack::nn
