/// What the DAVIS evaluation says about a measure over a sequence.
#pragma once

#include <span>

namespace vostrack::eval {

struct Statistics {
  double mean = 0;
  double recall = 0;  ///< share of frames with more than 0.5
  double decay = 0;   ///< mean of the first quarter less that of the last
};

/// The quarters' ends are rounded to whole frames, halves up, and belong to both neighbours.
///
/// Source: DAVIS evaluation, db_statistics, with four bins. Its frame numbers there are bytes and
/// go wrong beyond 256 frames; these do not.
///
/// @throws Error kInvalidArgument without values
Statistics statistics(std::span<const double> values);

/// The mean of each number.
///
/// @throws Error kInvalidArgument without entries
Statistics mean_of(std::span<const Statistics> entries);

}  // namespace vostrack::eval
