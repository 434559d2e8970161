/// Colours for objects.
#pragma once

#include <cstdint>

#include "vostrack/colour.hpp"

namespace vostrack::video {

/// Colours before they repeat.
inline constexpr int kObjectColours = 100;

/// The colour that an object has in every picture: as far as can be from those of smaller numbers,
/// so few objects are told apart at a glance and a hundred still by comparison. Black, white and
/// greys are left to pictures. Any number is allowed; colours repeat after kObjectColours.
Rgb object_colour(std::int64_t id);

/// How different two colours look: the distance in the OKLab colour space, in which black and white
/// are 1 apart.
///
/// Source: Björn Ottosson, A perceptual color space for image processing, 2020
double colour_distance(Rgb a, Rgb b);

}  // namespace vostrack::video
