/// Pictures with transparency.
#pragma once

#include <cstdint>
#include <vector>

namespace vostrack::video {

/// Rows of red, green, blue and opacity (0 transparent, 255 opaque) without padding, `rgba.size()
/// == 4 * height * width`. Colours are straight: not multiplied by the opacity.
struct RgbaImage {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> rgba;

  bool empty() const noexcept { return rgba.empty(); }
};

}  // namespace vostrack::video
