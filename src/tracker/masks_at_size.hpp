/// Masks at the video's size straight from logits at a quarter of the network's, on the CPU.
///
/// Only the part of the picture that a mask can reach is looked at, and logits of the video's size
/// are never stored for it. Equal to resize_bilinear, without_overlaps and a comparison up to the
/// rounding of the last bit.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <span>
#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::tracker {

/// @param logits  (1, 1, h, w), any device
/// @return pixels whose logit is above the threshold
Mask mask_at_size(const torch::Tensor& logits, int height, int width, float threshold = 0);

/// Which of several objects has each pixel: the one with the highest logit, the first of equal
/// ones, if it is above 0.
///
/// @param logits  (1, 1, h, w) each, any device, or undefined for objects that have no pixel
/// @return (height · width): 0, or the object's place in `logits` counted from 1
std::vector<std::uint16_t> labels_at_size(std::span<const torch::Tensor> logits, int height,
                                          int width);

}  // namespace vostrack::tracker
