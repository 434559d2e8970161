/// One picture, any number of prompts.
///
/// Thread safety: immutable functions on a model and features.
#pragma once

#include <torch/types.h>

#include <vector>

#include "nn/model.hpp"
#include "tracker/prompt.hpp"

namespace vostrack::tracker {

struct ImageMasks {
  torch::Tensor low_res;       ///< (B, M, S/4, S/4) float32 logits, not clamped, cleaned up
  torch::Tensor raw_low_res;   ///< the same before any clean-up
  torch::Tensor iou;           ///< (B, M) float32, predicted
  torch::Tensor object_score;  ///< (B, 1) float32
};

struct ImageCleanUp {
  int fill_hole_area = 0;
  int remove_sprinkle_area = 0;
  double threshold = 0;
};

/// Proposes masks, in the decoder's order. An object score never blanks one.
///
/// @param points  coords (B, N, 2) and labels (B, N); a picture is shared by all of the batch
/// @param mask  (B, 1, S/4, S/4) float32 logits of an earlier answer, or undefined
///
/// Source: sam2/sam2_image_predictor.py, _predict
ImageMasks segment(const nn::Model& model, const nn::ImageFeatures& image,
                   const PointInputs& points, const torch::Tensor& mask, bool multimask,
                   const ImageCleanUp& clean_up = {});

}  // namespace vostrack::tracker
