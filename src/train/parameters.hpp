/// Which weights are trained, and how fast.
#pragma once

#include <torch/nn.h>

#include <string>
#include <vector>

namespace vostrack::train {

struct ParameterOptions {
  /// Parameters that stay as they are: shell patterns on their names, such as
  /// `image_encoder.trunk.*`.
  std::vector<std::string> frozen = {};
  bool decoder_only = false;  ///< everything outside the mask decoder is frozen
  double trunk_rate = 1.0;    ///< the trunk's learning rate, as a part of the others'
  /// Learning rate of each trunk block as a part of the next one's; embeddings of places keep the
  /// trunk's rate.
  double layer_decay = 1.0;
  double weight_decay = 0.05;  ///< not of norms, biases and embeddings

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

struct TrainedParameter {
  std::string name;
  torch::Tensor value;
  double rate = 1;  ///< factor of the learning rate
  double weight_decay = 0;
};

/// Marks what is trained and lists it by name; everything else needs no gradient afterwards.
///
/// @throws Error kInvalidArgument when a pattern matches nothing, or nothing is left
std::vector<TrainedParameter> choose_parameters(torch::nn::Module& network,
                                                const ParameterOptions& options);

/// Whether a name fits a shell pattern (`*`, `?`, `[…]`).
bool matches(const std::string& name, const std::string& pattern);

}  // namespace vostrack::train
