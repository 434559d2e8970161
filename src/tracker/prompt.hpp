/// Prompts: checked, and as the networks want them.
#pragma once

#include <torch/types.h>

#include <cstdint>

#include "vostrack/types.hpp"

namespace vostrack::tracker {

/// Points as the prompt encoder takes them. A box is two points in front.
struct PointInputs {
  torch::Tensor coords;  ///< (1, N, 2) float32, network pixels, x then y
  torch::Tensor labels;  ///< (1, N) int32, nn::PointLabel

  std::int64_t count() const { return labels.size(1); }
  PointInputs to(torch::Device device) const { return {coords.to(device), labels.to(device)}; }
};

/// @throws Error unless the prompt has clicks, a box, both, or a mask alone; all numbers are finite
///   and inside the picture; the box is not empty; the mask has the picture's size; earlier clicks
///   are kept only without a box
void check_prompt(const Prompt& prompt, int height, int width);

/// Clicks and box in network pixels: x · S / width, rounded as the reference does.
PointInputs point_inputs(const Prompt& prompt, int height, int width, int image_size);

/// The points of both, those of `earlier` first.
PointInputs append(const PointInputs& earlier, const PointInputs& later);

/// A mask prompt at the network's size: (1, 1, S, S) float32, 0 or 1.
torch::Tensor mask_input(const Mask& mask, int image_size);

}  // namespace vostrack::tracker
