/// Turning a stored picture upright.
#pragma once

#include <cstdint>
#include <span>

#include "vostrack/types.hpp"

namespace vostrack::video {

/// First swap rows and columns, then mirror: together all eight ways to lie.
struct Orientation {
  bool transposed = false;
  bool mirrored_x = false;
  bool mirrored_y = false;

  bool operator==(const Orientation&) const = default;
};

/// The orientation that a display matrix asks for: nine numbers, row by row, that take a stored
/// point (p, q, 1) as a row vector to a shown one. Angles between are rounded to a quarter turn.
///
/// Source: ISO/IEC 14496-12, 6.2.2
Orientation orientation_of(std::span<const std::int32_t, 9> display_matrix);

/// Copies stored RGB rows into an upright image.
///
/// @param rgb     `height` rows of `width` pixels of three bytes, `stride` bytes apart
/// @param reused  an earlier image, whose memory the new one takes
Image upright(const std::uint8_t* rgb, std::ptrdiff_t stride, int height, int width,
              Orientation orientation, Image reused = {});

}  // namespace vostrack::video
