/// Clean-ups of mask logits.
#pragma once

#include <torch/types.h>

namespace vostrack::tracker {

/// Sets 8-connected regions of background (≤ threshold) of at most `max_area` pixels to `value`.
///
/// @param logits  (N, 1, H, W) float32, any device; the work is done on the CPU
/// @return a tensor of the same shape and device; `logits` itself where max_area is 0
///
/// Source: sam2/utils/misc.py, fill_holes_in_mask_scores; sam2/utils/transforms.py
torch::Tensor fill_holes(const torch::Tensor& logits, int max_area, double threshold, double value);

/// Sets 8-connected regions of foreground (> threshold) of at most `max_area` pixels to `value`.
torch::Tensor remove_sprinkles(const torch::Tensor& logits, int max_area, double threshold,
                               double value);

/// At each pixel only the object with the highest logit keeps it; the others' logits are clamped to
/// at most −10.
///
/// @param logits  (objects, 1, H, W) float32
///
/// Source: sam2/modeling/sam2_base.py, _apply_non_overlapping_constraints
torch::Tensor without_overlaps(const torch::Tensor& logits);

}  // namespace vostrack::tracker
