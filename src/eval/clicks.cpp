#include "eval/clicks.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "eval/distance.hpp"

namespace vostrack::eval {

std::vector<Click> inner_clicks(const Mask& mask, int count) {
  // What must be kept away from, with the picture's border as a frame one pixel wide.
  Mask outside{mask.height + 2, mask.width + 2, {}};
  const auto width = static_cast<std::size_t>(outside.width);
  outside.data.assign(width * static_cast<std::size_t>(outside.height), 1);
  for (int y = 0; y < mask.height; ++y)
    for (int x = 0; x < mask.width; ++x)
      outside.data[static_cast<std::size_t>(y + 1) * width + static_cast<std::size_t>(x + 1)] =
          mask.data[static_cast<std::size_t>(y) * static_cast<std::size_t>(mask.width) +
                    static_cast<std::size_t>(x)] == 0;

  std::vector<Click> clicks;
  for (int i = 0; i < count; ++i) {
    const std::vector<std::int64_t> squares = squared_distances(outside);
    const auto farthest = std::max_element(squares.begin(), squares.end());
    if (*farthest == 0) break;
    const auto at = static_cast<std::size_t>(farthest - squares.begin());
    clicks.push_back({static_cast<float>(at % width) - 1, static_cast<float>(at / width) - 1});
    outside.data[at] = 1;
  }
  return clicks;
}

}  // namespace vostrack::eval
