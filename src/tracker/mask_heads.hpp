/// From features and prompts to objects' masks, pointers and scores.
#pragma once

#include <torch/types.h>

#include <optional>

#include "nn/model.hpp"
#include "tracker/prompt.hpp"

namespace vostrack::tracker {

/// Logits where an object is absent.
inline constexpr double kAbsent = -1024.0;

struct HeadOutput {
  torch::Tensor low_res;        ///< (B, 1, S/4, S/4) float32 logits
  torch::Tensor high_res;       ///< (B, 1, S, S) float32 logits
  torch::Tensor pointer;        ///< (B, C) float32
  torch::Tensor object_score;   ///< (B, 1) float32
  torch::Tensor predicted_iou;  ///< (B, 1) float32
  // Of all proposals, M of them: 3 or 1.
  torch::Tensor proposals;      ///< (B, M, S/4, S/4) float32 logits
  torch::Tensor proposed_ious;  ///< (B, M) float32
  torch::Tensor decoded;        ///< the proposals, not blanked where the object is absent
};

/// Runs prompt encoder and mask decoder, picks a mask and makes the pointer.
///
/// @param features  (B, C, h, w) float32, with or without memory, one for each object
/// @param high_res  of the picture, batch 1, or of each object's
/// @param points  of all B objects; nothing: a padding point
/// @param mask  (B, 1, s, s) float32 of any size, or undefined
///
/// Source: sam2/modeling/sam2_base.py, _forward_sam_heads
HeadOutput decode(const nn::Model& model, const torch::Tensor& features,
                  const std::vector<torch::Tensor>& high_res,
                  const std::optional<PointInputs>& points, const torch::Tensor& mask,
                  bool multimask);

/// All masks that decode could choose from, those with the higher predicted IoU first: three, or
/// one without `multimask`. The first is what decode returns.
std::vector<HeadOutput> propose(const nn::Model& model, const torch::Tensor& features,
                                const std::vector<torch::Tensor>& high_res,
                                const std::optional<PointInputs>& points, const torch::Tensor& mask,
                                bool multimask);

/// Takes a mask prompt as the answer; only the pointer comes from the decoder.
///
/// @param mask  (B, 1, S, S) float32, 0 or 1; all 0 means that the object is not on this frame
///
/// Source: sam2/modeling/sam2_base.py, _use_mask_as_output
HeadOutput take_mask(const nn::Model& model, const nn::ImageFeatures& image,
                     const torch::Tensor& mask);

/// What FrameOutput keeps of the proposals.
///
/// @return (B, 3, 5) float32, on the proposals' device
torch::Tensor describe_proposals(const HeadOutput& head);

/// Whether three masks are proposed.
///
/// Source: sam2/modeling/sam2_base.py, _use_multimask
bool proposes_three(const nn::BaseConfig& config, bool initial_frame, std::int64_t points);

}  // namespace vostrack::tracker
