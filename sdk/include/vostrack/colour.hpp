/// Colours, and pictures with transparency.
#pragma once

#include <cstdint>
#include <vector>

namespace vostrack {

struct Rgb {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;

  friend bool operator==(Rgb x, Rgb y) noexcept { return x.r == y.r && x.g == y.g && x.b == y.b; }
  friend bool operator!=(Rgb x, Rgb y) noexcept { return !(x == y); }
};

/// Rows of red, green, blue and opacity (0 transparent, 255 opaque) without padding, `rgba.size()
/// == 4 * height * width`. Colours are straight: not multiplied by the opacity.
struct RgbaImage {
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> rgba;

  bool empty() const noexcept { return rgba.empty(); }
};

}  // namespace vostrack
