/// A network small enough to train in a test.
#pragma once

#include <torch/torch.h>

#include "support/small_model.hpp"
#include "train/networks.hpp"
#include "train/train_config.hpp"
#include "train/trainer.hpp"
#include "train/trial_clips.hpp"

namespace vostrack::test {

inline nn::ModelConfig tiny_config() {
  nn::ModelConfig config = small_config();
  config.neck.d_model = 16;
  config.memory_attention.num_layers = 1;
  config.memory_attention.dim_feedforward = 32;
  return config;
}

inline nn::Network tiny_network(const nn::ModelConfig& config = tiny_config()) {
  return train::start_network(config, {}, {}, "tiny").network;
}

/// Copies of what the latest step found.
inline nn::StateDict gradients_of(const train::Trainer& trainer) {
  nn::StateDict gradients;
  for (const auto& parameter : trainer.optimizer().parameters())
    if (parameter.value.grad().defined())
      gradients.tensors[parameter.name] = parameter.value.grad().clone();
  return gradients;
}

/// Few steps of few clips, with every kind of prompt.
inline train::TrainConfig quick_training() {
  train::TrainConfig config;
  config.steps = 4;
  config.batch_clips = 2;
  config.optimizer.warmup_steps = 2;
  config.optimizer.learning_rate = 1e-3;
  config.prompts.corrections_per_frame = 1;
  config.half_export = false;
  return config;
}

}  // namespace vostrack::test
