/// Simulated prompts: which frames get one, of which kind, and where the clicks are.
///
/// Source: arXiv 2408.00714, appendix D.2.1; training/model/sam2.py, prepare_prompt_inputs
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "tracker/prompt.hpp"
#include "train/batch.hpp"
#include "train/draws.hpp"
#include "vostrack/types.hpp"

namespace vostrack::train {

enum class PromptKind { kMask, kBox, kClick };

struct PromptOptions {
  double point_probability = 0.5;       ///< of a click or box instead of a mask
  double box_probability = 0.5;         ///< of a box where it is not a mask
  double from_truth_probability = 0.1;  ///< a correction click is drawn from the object itself
  /// A click lies where a patient person would put it, in the middle of the object or of the largest
  /// error, instead of anywhere on them. The reference never does in training.
  double centred_probability = 0;
  double box_noise = 0.1;  ///< a box's sides are off by up to this share of its length
  int conditioning_frames = 2;  ///< prompted before tracking; 1 to so many, the first among them
  int corrected_frames = 2;     ///< conditioning frames included; up to so many
  int corrections_per_frame = 7;
  bool random_frame_counts = true;         ///< else always as many as stated
  bool corrected_frames_condition = true;  ///< a corrected frame becomes a conditioning frame
  /// Objects prompted by a mask are corrected too, on frames that were tracked. The reference never
  /// does.
  bool correct_after_mask = false;
  int picture_corrections = 1;  ///< correction clicks after the first prompt of a single picture

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// What happens to objects that are prompted alike.
struct PromptPlan {
  PromptKind kind = PromptKind::kMask;
  std::vector<std::int64_t> objects;       ///< rows of the batch
  std::vector<std::int64_t> conditioning;  ///< frames, in the order in which they are prompted
  std::vector<std::int64_t> corrected;     ///< frames with correction clicks
};

/// Where clicks and boxes come from.
class Prompter {
 public:
  virtual ~Prompter() = default;
  /// Every object of the batch is in one plan.
  virtual std::vector<PromptPlan> plan(const Batch& batch) = 0;
  /// One click for each object, where the mask is wrong.
  ///
  /// @param objects  rows of the batch
  /// @param truth  (B, S, S) uint8, 255 ignored
  /// @param predicted  (B, S, S) bool, or undefined for an object's first prompt
  virtual tracker::PointInputs click(const std::vector<std::int64_t>& objects,
                                     const torch::Tensor& truth,
                                     const torch::Tensor& predicted) = 0;
  virtual tracker::PointInputs box(const std::vector<std::int64_t>& objects,
                                   const torch::Tensor& truth) = 0;
  /// A click on each object and two beside it: on other objects of its picture where there are any,
  /// else on the background.
  virtual tracker::PointInputs clicks_with_background(const Batch& batch,
                                                      const std::vector<std::int64_t>& objects) = 0;
};

/// Draws everything; the same key and batch give the same prompts.
class RandomPrompter : public Prompter {
 public:
  /// @param key  of the run and its step; clip and object are added to it
  RandomPrompter(const PromptOptions& options, const Batch& batch, std::uint64_t seed,
                 std::uint64_t step);

  std::vector<PromptPlan> plan(const Batch& batch) override;
  tracker::PointInputs click(const std::vector<std::int64_t>& objects, const torch::Tensor& truth,
                             const torch::Tensor& predicted) override;
  tracker::PointInputs box(const std::vector<std::int64_t>& objects,
                           const torch::Tensor& truth) override;
  tracker::PointInputs clicks_with_background(const Batch& batch,
                                              const std::vector<std::int64_t>& objects) override;

 private:
  std::vector<Draws*> draws_of(const std::vector<std::int64_t>& objects);
  /// Clicks for those objects whose clicks are to be centred and where there is such a place: the
  /// rest is too small to be seen at the size at which it is looked for, or all right.
  std::vector<std::optional<Click>> middles(const std::vector<std::int64_t>& objects,
                                            const torch::Tensor& truth,
                                            const torch::Tensor& predicted);

  PromptOptions options_;
  std::uint64_t seed_, step_;
  std::vector<std::int64_t> clip_of_;  ///< of each object
  std::vector<Draws> draws_;           ///< one for each object
};

}  // namespace vostrack::train
