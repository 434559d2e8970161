/// How well one mask agrees with another.
///
///   double j = region_similarity(predicted, truth);
///   double f = boundary_similarity(predicted, truth, boundary_radius(480, 854));  // 8 pixels
///
/// Source: F. Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
/// Segmentation", CVPR 2016, sections 4.1 and 4.2, in the reading of the DAVIS evaluation code.
#pragma once

#include "vostrack/types.hpp"

namespace vostrack::eval {

/// Share of the picture's diagonal by which a contour may be off.
inline constexpr double kBoundaryTolerance = 0.008;

/// J: intersection over union; 1 when both masks are empty.
///
/// @throws Error kInvalidArgument for masks of two sizes
double region_similarity(const Mask& predicted, const Mask& truth);

/// Pixels whose right, lower or lower right neighbour is on the other side of the mask's edge. In
/// the last row only the right one counts, in the last column only the lower one, and the last
/// pixel is none. The picture's own border is no contour.
///
/// Source: D. Martin's seg2bmap, which the DAVIS evaluation uses at the mask's own size.
Mask boundary_map(const Mask& mask);

/// ⌈tolerance × diagonal⌉ in pixels.
int boundary_radius(int height, int width, double tolerance = kBoundaryTolerance);

/// F: the harmonic mean of precision (share of the predicted contour within `radius` of the true
/// one) and recall (the other way round); distances between pixels' centres, the radius included.
/// 1 when neither mask has a contour, 0 when one has none.
///
/// @throws Error kInvalidArgument for masks of two sizes, or a negative radius
double boundary_similarity(const Mask& predicted, const Mask& truth, int radius);

}  // namespace vostrack::eval
