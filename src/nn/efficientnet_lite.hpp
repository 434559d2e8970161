#pragma once

#include "nn/trunk.hpp"

namespace vostrack::nn {

/// EfficientNet-Lite0: inverted bottlenecks with ReLU6 and without squeeze-excitation; outputs are
/// multiplied by constants of the configuration. Batch norm always uses its stored statistics.
///
/// Source: arXiv 1905.11946; the "lite" variants of tensorflow/tpu,
/// models/official/efficientnet/lite
std::shared_ptr<Trunk> make_efficientnet_lite0(const TrunkConfig& config);

}  // namespace vostrack::nn
