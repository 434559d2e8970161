#pragma once

#include "nn/trunk.hpp"

namespace vostrack::nn {

/// Hiera, a hierarchical vision transformer with windowed attention.
///
/// Source: sam2/modeling/backbones/hieradet.py; arXiv 2306.00989; windowed position embedding
/// arXiv 2311.05613
std::shared_ptr<Trunk> make_hiera(const TrunkConfig& config);

}  // namespace vostrack::nn
