/// Exact Euclidean distances in pixels.
///
///   std::vector<std::int64_t> squares = squared_distances(sites);   // 0 on the sites themselves
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::eval {

inline constexpr std::int64_t kNoSite = std::numeric_limits<std::int64_t>::max();

/// For each pixel the squared distance to the nearest pixel that is not 0, row by row; kNoSite
/// everywhere when there is none. Whole numbers, so that ties are ties.
///
/// Source: A. Meijster, J. Roerdink, W. Hesselink, "A General Algorithm for Computing Distance
/// Transforms in Linear Time", 2000.
std::vector<std::int64_t> squared_distances(const Mask& sites);

}  // namespace vostrack::eval
