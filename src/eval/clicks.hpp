/// Prompts that a patient person would give for a known mask.
///
///   prompt.clicks = inner_clicks(mask, 3);
#pragma once

#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::eval {

/// Clicks at the centres of the largest discs that fit into the mask, one after the other: the
/// first is the pixel farthest from the outside (the picture's border counts as outside), each
/// further one the pixel farthest from the outside and from all earlier clicks. Of pixels that are
/// equally far, the first in reading order. Fewer than `count` when the mask has fewer pixels.
std::vector<Click> inner_clicks(const Mask& mask, int count);

}  // namespace vostrack::eval
