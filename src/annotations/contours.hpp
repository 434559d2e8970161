/// Outlines of masks.
///
///   for (const Contour& contour : trace_contours(mask)) draw(contour.points);
#pragma once

#include <optional>
#include <vector>

#include "vostrack/result.hpp"

namespace vostrack::annotations {

/// Closed lines along the edges between pixels, clockwise around a part of the mask and
/// counter-clockwise around a hole in it (y down). Only corners are listed. Parts that touch at a
/// corner alone are apart, so no line meets itself.
///
/// @return in the order of their uppermost rows, the leftmost first
/// @throws Error kInvalidArgument for a mask whose buffer has another size
std::vector<Contour> trace_contours(const Mask& mask);

/// The tightest box around the mask, with exclusive ends; nothing for an empty mask.
std::optional<Box> bounding_box(const Mask& mask);

}  // namespace vostrack::annotations
