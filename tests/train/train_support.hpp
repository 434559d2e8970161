/// Clips with a known answer, and a network small enough to train in a test.
#pragma once

#include <torch/torch.h>

#include <cmath>

#include "support/small_model.hpp"
#include "train/clip.hpp"
#include "train/networks.hpp"
#include "train/train_config.hpp"

namespace vostrack::test {

/// Two bright squares that move over a dark ground; every fourth clip is a single picture.
class MovingSquares : public train::ClipSource {
 public:
  MovingSquares(int size, int length, bool pictures = false)
      : size_(size), length_(length), pictures_(pictures) {}

  train::Clip sample(std::uint64_t seed, std::int64_t index) const override {
    const bool single = pictures_ && index % 4 == 3;
    const int length = single ? 1 : length_;
    auto frames = torch::full({length, 3, size_, size_}, 40, torch::kUInt8);
    auto masks = torch::zeros({length, 2, size_, size_}, torch::kUInt8);
    const auto start = static_cast<std::int64_t>(seed * 7 + index * 5) % (size_ / 4);
    const int side = size_ / 4;
    for (int t = 0; t < length; ++t)
      for (int object = 0; object < 2; ++object) {
        const auto x = object == 0 ? start + 2 * t : size_ - side - start - 2 * t;
        const int y = object == 0 ? size_ / 8 : size_ / 2;
        const auto rows = torch::indexing::Slice(y, y + side);
        const auto columns = torch::indexing::Slice(x, x + side);
        frames.index_put_({t, object, rows, columns}, 230);
        masks.index_put_({t, object, rows, columns}, 1);
      }
    return {frames, masks, single};
  }

 private:
  int size_, length_;
  bool pictures_;
};

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
