/// What the networks said about one object on one frame.
#pragma once

#include <torch/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace vostrack::memory {

using FrameIndex = std::int64_t;

/// Never changed once stored: encoding a prompted frame's memory makes a new one. In training it is
/// a batch of objects that were prompted alike, B in place of each 1.
struct FrameOutput {
  torch::Tensor mask_logits;    ///< (1, 1, S/4, S/4) float32; −1024 where the object is absent
  torch::Tensor pointer;        ///< (1, C) float32
  torch::Tensor object_score;   ///< (1, 1) float32 logit
  torch::Tensor predicted_iou;  ///< (1, 1) float32; 1 for a mask prompt
  torch::Tensor memory;         ///< (1, Cm, h, w) in the memory's dtype; undefined until encoded
  std::vector<FrameIndex> attended;  ///< frames whose memories it was made with
  /// (1, 3, 5) float32: predicted IoU and box (x0, y0, x1, y1 in pixels of mask_logits, the ends
  /// outside) of each mask that was proposed, the best first; 0 where there were fewer than three.
  torch::Tensor proposals = {};
  double time_s = 0;  ///< the frame's presentation time
};
using OutputPtr = std::shared_ptr<const FrameOutput>;

/// A tensor of an output and its name in files.
struct OutputField {
  const char* name;
  torch::Tensor FrameOutput::*tensor;
};

inline constexpr std::array<OutputField, 6> kOutputFields{{
    {"mask_logits", &FrameOutput::mask_logits},
    {"pointer", &FrameOutput::pointer},
    {"object_score", &FrameOutput::object_score},
    {"predicted_iou", &FrameOutput::predicted_iou},
    {"memory", &FrameOutput::memory},
    {"proposals", &FrameOutput::proposals},
}};

/// What an output occupies.
std::int64_t bytes_of(const FrameOutput& output);

}  // namespace vostrack::memory
