#include "annotations/polygon.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "base/check.hpp"

namespace vostrack::annotations {

void fill_polygon(Mask& mask, std::span<const double> outline) {
  check(outline.size() >= 6 && outline.size() % 2 == 0, ErrorCode::kInvalidArgument,
        "an outline of {} values, want an even number, at least 6", outline.size());
  check(std::all_of(outline.begin(), outline.end(), [](double v) { return std::isfinite(v); }),
        ErrorCode::kInvalidArgument, "an outline with a value that is no finite number");
  std::vector<double> crossings;
  for (int row = 0; row < mask.height; ++row) {
    const double y = row + 0.5;
    crossings.clear();
    for (std::size_t i = 0; i < outline.size(); i += 2) {
      const std::size_t j = (i + 2) % outline.size();
      const double x0 = outline[i], y0 = outline[i + 1], x1 = outline[j], y1 = outline[j + 1];
      // Each edge has its upper end and not its lower one, so that corners count once.
      if ((y0 <= y) != (y1 <= y)) crossings.push_back(x0 + (y - y0) / (y1 - y0) * (x1 - x0));
    }
    std::sort(crossings.begin(), crossings.end());
    std::uint8_t* pixels = mask.data.data() + static_cast<std::ptrdiff_t>(row) * mask.width;
    const auto column = [&](double x) {
      return static_cast<int>(std::clamp(std::ceil(x - 0.5), 0.0, double(mask.width)));
    };
    for (std::size_t i = 0; i + 1 < crossings.size(); i += 2)
      std::fill(pixels + column(crossings[i]), pixels + column(crossings[i + 1]), 1);
  }
}

}  // namespace vostrack::annotations
