/// A person who clicks until a known mask is found.
///
///   std::vector<Click> clicks = inner_clicks(truth, 1);
///   Mask mask = predict(clicks);
///   if (auto click = correcting_click(mask, truth, ignored)) clicks.push_back(*click);
///
/// `ignored` says which pixels nobody knows; an empty mask stands for none.
///
/// Source: A. Kirillov et al., "Segment Anything", ICCV 2023, appendix D.1 and the choice of clicks
/// in appendix A: in the middle of the error.
#pragma once

#include <optional>

#include "vostrack/types.hpp"

namespace vostrack::eval {

/// The largest part of the mask that hangs together, over corners too. Of parts of one size the
/// first in reading order; an empty mask gives an empty one.
Mask largest_part(const Mask& mask);

/// A click in the middle of the largest error: on the object where it was missed, beside it where
/// too much was taken. Errors of one kind that touch are one. Nothing when there is no error.
///
/// @throws Error kInvalidArgument for masks of different sizes
std::optional<Click> correcting_click(const Mask& predicted, const Mask& truth,
                                      const Mask& ignored);

/// Intersection over union, of pixels that are known.
double known_similarity(const Mask& predicted, const Mask& truth, const Mask& ignored);

/// Share of the predicted mask that lies on other objects; 0 for an empty one.
///
/// @param others  pixels of all other objects
double leakage(const Mask& predicted, const Mask& others, const Mask& ignored);

}  // namespace vostrack::eval
