/// Pictures of what was predicted beside what is true.
#pragma once

#include <span>

#include "vostrack/types.hpp"

namespace vostrack::train {

/// A frame with both masks of an object, 0 and 1; 255 where the truth is not known.
struct ComparedFrame {
  Image picture;
  Mask truth;
  Mask predicted;
};

/// Frames from left to right, at their own size: green where both masks are, red where only the
/// prediction is, blue where only the truth is, darkened where nobody knows.
///
/// @throws Error kInvalidArgument without frames, and for frames or masks of different sizes
Image comparison(std::span<const ComparedFrame> frames);

}  // namespace vostrack::train
