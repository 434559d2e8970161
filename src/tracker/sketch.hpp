/// Small grey pictures: whether a picture changed, and how the part under a mask moved.
///
///   auto before = sketch_of(earlier), now = sketch_of(picture);
///   if (largest_change(before, now) > 2)
///     logits = moved(logits, motion_between(before, now, logits));
#pragma once

#include <torch/types.h>

#include "memory/bank.hpp"

namespace vostrack::tracker {

inline constexpr int kSketchSide = 192;

/// Mean brightness of the picture's parts, from a sample of their pixels.
///
/// @param picture  (H, W, 3) uint8 RGB, on the CPU
/// @return (kSketchSide, kSketchSide) float32, 0 to 255
torch::Tensor sketch_of(const torch::Tensor& picture);

/// The largest difference between blocks' means, a block being a 48th of the picture's sides.
double largest_change(const torch::Tensor& a, const torch::Tensor& b);

/// How what is under the mask moved and grew: the least squares of brightness, found by
/// Gauss-Newton steps from coarse to fine. No motion where none makes the pictures more alike.
///
/// @param before  sketch of the frame that the mask is of
/// @param mask_logits  (1, 1, s, s) float32
///
/// Source: Baker and Matthews, "Lucas-Kanade 20 Years On" (2004), section 2
memory::Motion motion_between(const torch::Tensor& before, const torch::Tensor& now,
                              const torch::Tensor& mask_logits);

/// @param logits  (1, 1, s, s) float32 of the frame before
/// @return the same shape; beyond its edges the picture goes on as it ends
torch::Tensor moved(const torch::Tensor& logits, const memory::Motion& motion);

}  // namespace vostrack::tracker
