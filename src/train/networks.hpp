/// Networks to start training from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/network.hpp"

namespace vostrack::train {

struct StartOptions {
  std::uint64_t seed = 1;  ///< of weights that are not given
  /// Where the object score's bias starts unless given: above 0, objects are believed in until the
  /// network knows better, and masks are not blanked meanwhile.
  double object_score_bias = 4;
};

struct StartedNetwork {
  nn::Network network{nullptr};
  std::vector<std::string> fresh;  ///< tensors that `given` did not have, by name
};

/// @param given  weights of all networks or of some, a trunk's alone for instance; may be empty
/// @param origin  named in errors
/// @throws Error kModelMismatch when a given tensor has no place in the configuration or another
///   shape
StartedNetwork start_network(const nn::ModelConfig& config, const nn::StateDict& given,
                             const StartOptions& options, const std::string& origin);

/// Convolutions' weights of the trunk in the order that convolutions run fastest in.
void use_channels_last(nn::NetworkImpl& network);

}  // namespace vostrack::train
