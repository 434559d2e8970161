/// The image encoder over all frames of a batch, each once.
///
///   FrameEncoder encoder(model, batch, {});
///   auto loss = …(encoder.features());
///   loss.backward();
///   encoder.backward();
#pragma once

#include <torch/types.h>

#include <vector>

#include "nn/model.hpp"
#include "train/batch.hpp"

namespace vostrack::train {

struct EncoderOptions {
  /// Forget what the encoder computes and compute it again for its gradients: a third more time in
  /// the encoder, for the memory of one chunk instead of all frames.
  bool recompute = false;
  int frames_at_once = 8;  ///< with `recompute`
  bool bfloat16 = false;   ///< mixed precision, see Autocast
};

class FrameEncoder {
 public:
  /// @param model  over networks in training; must outlive this
  FrameEncoder(const nn::Model& model, const Batch& batch, const EncoderOptions& options);

  /// Features of the batch's clips at one frame, one row for each of `clips`.
  nn::ImageFeatures features(std::int64_t frame, const torch::Tensor& clips) const;

  /// The encoder's part of the gradients; after the loss's own backward. Nothing is left to do
  /// without `recompute`.
  void backward();

 private:
  nn::ImageFeatures encode(std::int64_t first, std::int64_t last) const;

  const nn::Model& model_;
  torch::Tensor frames_;  ///< (clips · T, 3, S, S) uint8
  std::int64_t length_;
  EncoderOptions options_;
  nn::ImageFeatures all_;
};

}  // namespace vostrack::train
