/// AdamW with a schedule, clipping and an average of weights.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "nn/state_dict.hpp"
#include "train/parameters.hpp"

namespace vostrack::train {

struct OptimizerConfig {
  double learning_rate = 6e-4;  ///< at the end of the warm-up
  double final_rate = 0.02;     ///< at the last step, as a part of learning_rate
  std::int64_t warmup_steps = 100;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-8;
  double clip_norm = 1.0;  ///< of all gradients together; 0: no clipping
  double average = 0.998;  ///< decay of the weights' average; 0: none

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// Linear warm-up, then a cosine to `final_rate`.
///
/// @param step  counted from 0
double learning_rate(const OptimizerConfig& config, std::int64_t step, std::int64_t steps);

/// Not thread-safe.
class Optimizer {
 public:
  Optimizer(const OptimizerConfig& config, std::vector<TrainedParameter> parameters);

  const std::vector<TrainedParameter>& parameters() const { return parameters_; }

  void clear_gradients();
  /// Scales gradients down to `clip_norm`.
  ///
  /// @return the norm before
  double clip();
  /// A step along the gradients, then the average follows. Parameters without a gradient count as
  /// having one of 0.
  void step(double rate);

  /// Averaged values in the order of parameters(); the parameters themselves where there is no
  /// average.
  std::vector<torch::Tensor> averages() const;

  /// Everything that changes, under `exp_avg/NAME`, `exp_avg_sq/NAME`, `average/NAME` and `taken`.
  void save(nn::StateDict& state) const;
  /// @throws Error kModelMismatch when something is missing or of another shape
  void load(const nn::StateDict& state);

 private:
  OptimizerConfig config_;
  std::vector<TrainedParameter> parameters_;
  std::vector<torch::Tensor> first_, second_, average_;  ///< one each for a parameter
  std::int64_t taken_ = 0;
};

}  // namespace vostrack::train
