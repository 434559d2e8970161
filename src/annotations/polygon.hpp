/// Masks from outlines.
#pragma once

#include <span>

#include "vostrack/types.hpp"

namespace vostrack::annotations {

/// Sets the pixels whose centres lie inside: those from which a ray crosses the outline an odd
/// number of times. What lies outside the mask is cut off.
///
/// @param outline  x0, y0, x1, y1, … in pixels, the picture's corner being 0, 0
/// @throws Error kInvalidArgument for fewer than three corners, an odd number of values, or one
///   that is no finite number
void fill_polygon(Mask& mask, std::span<const double> outline);

}  // namespace vostrack::annotations
