/// What training tells while it runs; nothing of LibTorch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vostrack::nn {
struct StateDict;
}

namespace vostrack::train {

struct ComparedFrame;

/// What one step did.
struct StepReport {
  std::int64_t step = 0;  ///< steps taken, this one included
  std::int64_t steps = 0;
  std::map<std::string, double> losses;  ///< total, focal, dice, iou, object
  double learning_rate = 0;
  double gradient_norm = 0;     ///< before clipping
  double seconds = 0;           ///< of the step, waiting for clips included
  double waiting_s = 0;         ///< for clips
  std::int64_t objects = 0;     ///< over all processes
  std::optional<double> score;  ///< of a validation after this step
};

struct TrainHooks {
  std::function<void(const StepReport&)> progress;
  /// Scores averaged weights as Trainer::weights gives them, as a rule by J&F; higher is better.
  /// Nothing when it was cancelled.
  std::function<std::optional<double>(const nn::StateDict&)> validate;
  std::function<bool()> cancelled;  ///< asked after each step
  /// Gets what the networks make of some clips, the same ones each time; see preview.
  std::function<void(std::int64_t step, const std::vector<std::vector<ComparedFrame>>&)> examples;
};

enum class Ending { kFinished, kCancelled, kNoBetter };

struct Outcome {
  Ending ending = Ending::kFinished;
  std::int64_t step = 0;
  std::optional<double> best_score;
};

}  // namespace vostrack::train
