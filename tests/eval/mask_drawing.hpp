/// Masks whose measures are known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::test {

/// Rows of text, # for the object.
inline Mask drawn(const std::vector<std::string_view>& rows) {
  Mask mask{static_cast<int>(rows.size()), static_cast<int>(rows.front().size()), {}};
  for (std::string_view row : rows)
    for (char c : row) mask.data.push_back(c == '#');
  return mask;
}

inline Mask empty_mask(int height, int width) {
  return {height, width,
          std::vector<std::uint8_t>(
              static_cast<std::size_t>(height) * static_cast<std::size_t>(width), 0)};
}

/// Rows y0 to y1 and columns x0 to x1, ends excluded.
inline Mask rectangle(int height, int width, int y0, int x0, int y1, int x1) {
  Mask mask = empty_mask(height, width);
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) mask.data[static_cast<std::size_t>(y * width + x)] = 1;
  return mask;
}

struct Ellipse {
  std::int64_t y, x, radius_y, radius_x;
};

/// In whole numbers, so that any program draws the same.
inline Mask ellipse(int height, int width, const Ellipse& e) {
  Mask mask{height, width, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      mask.data.push_back((y - e.y) * (y - e.y) * e.radius_x * e.radius_x +
                              (x - e.x) * (x - e.x) * e.radius_y * e.radius_y <=
                          e.radius_y * e.radius_y * e.radius_x * e.radius_x);
  return mask;
}

/// About `share` of 256 pixels, by the generator of Numerical Recipes.
inline Mask specks(int height, int width, std::uint32_t seed, std::uint32_t share) {
  Mask mask{height, width, {}};
  for (int i = 0; i < height * width; ++i) {
    seed = seed * 1664525u + 1013904223u;
    mask.data.push_back((seed >> 24) < share);
  }
  return mask;
}

}  // namespace vostrack::test
