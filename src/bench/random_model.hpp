/// Models whose weights do not matter.
#pragma once

#include <memory>

#include "nn/model.hpp"

namespace vostrack::bench {

/// The configuration's networks with random weights, always the same ones, which find objects
/// present, so that no mask is blanked.
std::shared_ptr<const nn::Model> random_model(nn::ModelConfig config,
                                              const nn::RuntimeOptions& runtime);

}  // namespace vostrack::bench
