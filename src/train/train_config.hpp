/// Everything that decides a training run, apart from its data and first weights.
#pragma once

#include <cstdint>
#include <string>

#include "train/adapters.hpp"
#include "train/batch.hpp"
#include "train/data/data_config.hpp"
#include "train/losses.hpp"
#include "train/optimizer.hpp"
#include "train/parameters.hpp"
#include "train/prompts.hpp"

namespace vostrack::train {

struct TrainConfig {
  std::uint64_t seed = 1;
  std::int64_t steps = 1000;
  int image_size = 0;   ///< 0: the model's own
  int batch_clips = 8;  ///< of one step, over all processes
  /// Clips that go through the networks at once in a process; the step's gradients are the same
  /// whatever it is. 0: all.
  int clips_at_once = 0;
  int most_objects = 3;            ///< of a clip
  int most_picture_objects = 16;   ///< of a single picture
  bool mean_over_frames = true;    ///< else losses are summed over frames, as the reference does
  bool bfloat16 = false;           ///< mixed precision
  bool recompute_encoder = false;  ///< see EncoderOptions
  int loader_threads = 1;
  int clips_ahead = 16;
  std::int64_t checkpoint_every = 100;  ///< steps
  std::int64_t validate_every = 0;      ///< steps; 0: only after the last one
  std::int64_t examples_every = 100;    ///< steps; 0: no pictures of predictions against truth
  int examples = 4;                     ///< clips on them
  int patience = 0;         ///< validations without a better score before training ends; 0: no end
  bool half_export = true;  ///< results as float16

  ParameterOptions parameters;
  AdapterOptions adapters;
  OptimizerConfig optimizer;
  PromptOptions prompts;
  LossConfig loss;
  /// How examples are made of packs, but for `size`, `frames`, `objects`, `picture_objects` and
  /// `pictures_share`, which follow from the members above and from the run.
  DataConfig data;

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// The members' names, sections for nested ones; absent keys keep their defaults.
///
/// @throws Error kInvalidArgument naming the key for an unknown key, a wrong type or a bad value
TrainConfig train_config_from_json(const std::string& text);
std::string train_config_to_json(const TrainConfig& config);

}  // namespace vostrack::train
