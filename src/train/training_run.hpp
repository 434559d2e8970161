/// A whole training run from names of files; nothing of LibTorch.
///
///   TrainingRun run;
///   run.weights = "models/nano.safetensors";
///   run.packs = {"clips.pack"};
///   run.folder = "run1";
///   run_training(run, {});
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/report.hpp"

namespace vostrack::train {

struct TrainingRun {
  std::string model;    ///< preset or JSON file; empty: the weights' own configuration
  std::string weights;  ///< to start from, of all networks or of some; empty: random ones
  std::vector<std::string> packs;
  bool trial = false;           ///< TrialClips instead of packs
  int frames = 4;               ///< of a clip
  double pictures_share = 0.2;  ///< of examples that are single pictures
  std::string folder;           ///< for results
  std::string device = "cpu";
  bool resume = false;
  std::string settings = "{}";  ///< TrainConfig as JSON

  /// From JSON: the names above, and `settings` as an object.
  ///
  /// @throws Error kInvalidArgument naming the key for an unknown key or a wrong type
  static TrainingRun from_json(const std::string& text);
};

struct TrainingPart {
  std::string name;  ///< first part of parameters' names
  std::int64_t parameters = 0;
  std::int64_t trained = 0;  ///< adapters included
};

/// A source in the packs.
struct TrainingData {
  std::string name;
  std::size_t pictures = 0;
  std::size_t clips = 0;
  double weight = 1;  ///< how often each of them is taken, compared with others
};

/// What a run would do, some of it measured by its first step.
struct TrainingPlan {
  std::vector<TrainingPart> parts;
  std::vector<TrainingData> sources;
  std::vector<std::string> fresh;  ///< tensors that start from random numbers
  std::int64_t steps = 0;          ///< that are left
  int clips = 0;                   ///< a step
  int image_size = 0;
  double state_bytes = 0;   ///< weights, gradients, the optimiser's state and averages
  double memory_bytes = 0;  ///< most that the process had during the step
  double seconds_per_step = 0;
  std::string settings;  ///< all of them, as JSON
};

struct RunHooks {
  std::function<void(const StepReport&)> progress;
  /// Scores the weights in a file, as a rule by J&F; higher is better. Nothing when it
  /// was cancelled.
  std::function<std::optional<double>(const std::string& path)> validate;
  std::function<bool()> cancelled;
};

/// TrainConfig's defaults as JSON.
std::string default_settings();

/// @throws Error as Trainer, nn::read_checkpoint and open_packs
TrainingPlan plan_training(const TrainingRun& run);
Outcome run_training(const TrainingRun& run, const RunHooks& hooks);

}  // namespace vostrack::train
