/// What training minimises: focal and dice loss of masks, the error of predicted IoU, and whether
/// the object is there.
///
/// Source: arXiv 2408.00714, appendix D; training/loss_fns.py, MultiStepMultiMasksAndIous
#pragma once

#include <torch/types.h>

#include <vector>

namespace vostrack::train {

struct LossConfig {
  double focal_weight = 20;
  double dice_weight = 1;
  double iou_weight = 1;
  double object_weight = 1;
  double focal_alpha = 0.25;  ///< of three masks; below 0: both classes count alike
  /// Of a single mask. 1/2 makes masks wider than the reference's 1/4, by 0.4 in logits where the
  /// network is in doubt.
  double single_focal_alpha = 0.25;
  double focal_gamma = 2;
  /// Masks are compared at the input's side divided by this, where most of the truth's pixels
  /// decide: 2 or 4 make the loss several times as fast. The reference compares at full size.
  int reduction = 1;
  bool iou_of_all = true;  ///< every proposal's IoU is supervised, else the best mask's alone
  bool iou_l1 = true;      ///< absolute error, else squared
  /// Masks of objects that the network believes absent count as empty, as in the reference, so they
  /// get no gradient; else they count as they were decoded, and masks are learnt there too.
  bool blank_absent = true;
  /// Of the object score's focal loss; 0 and below 0 make it cross-entropy.
  double object_gamma = 0;
  double object_alpha = -1;

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// One answer of the mask decoder to prompts of some objects.
struct Step {
  torch::Tensor masks;         ///< (B, M, s, s) float32 logits, enlarged where s is below S
  torch::Tensor enlarged;      ///< (B, 1, S, S) float32, of a single mask; or undefined
  torch::Tensor decoded;       ///< the same where the object is believed absent, not blanked
  torch::Tensor ious;          ///< (B, M) float32, predicted
  torch::Tensor object_score;  ///< (B, 1) float32 logits
  torch::Tensor truth;         ///< (B, S, S) uint8: 0 off, 1 on, 255 ignored
};

/// Sums over steps and objects, each divided by the number of objects.
struct Losses {
  torch::Tensor focal, dice, iou, object;  ///< scalars, float32
  torch::Tensor total;                     ///< weighted
};

/// Focal and dice loss reach the proposal whose weighted sum of both is smallest; they and the IoU
/// count only where the object is on the frame.
///
/// @param objects  what sums are divided by, as a rule the objects of the whole batch
/// @param predicts_objects  the network has an object score: it is supervised
Losses compute_losses(const LossConfig& config, const std::vector<Step>& steps, double objects,
                      bool predicts_objects);

}  // namespace vostrack::train
