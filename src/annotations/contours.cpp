#include "annotations/contours.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace vostrack::annotations {
namespace {

/// With y down, so that each is a right turn from the one before.
enum Direction { kRight, kDown, kLeft, kUp };
constexpr int kStepX[] = {1, 0, -1, 0};
constexpr int kStepY[] = {0, 1, 0, -1};

class Tracer {
 public:
  explicit Tracer(const Mask& mask) : mask_(mask), traced_(mask.data.size(), false) {}

  std::vector<Contour> trace() {
    // Every line has a stretch to the right, which runs along the top of a pixel of the mask.
    std::vector<Contour> contours;
    for (int y = 0; y < mask_.height; ++y)
      for (int x = 0; x < mask_.width; ++x)
        if (inside(x, y) && !inside(x, y - 1) && !traced_[index(x, y)])
          contours.push_back(follow(x, y));
    return contours;
  }

 private:
  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(mask_.width) +
           static_cast<std::size_t>(x);
  }
  bool inside(int x, int y) const {
    return x >= 0 && y >= 0 && x < mask_.width && y < mask_.height && mask_.data[index(x, y)] != 0;
  }
  /// The pixel ahead of corner (x, y), on the right or on the left of where the line goes.
  bool inside_ahead(int x, int y, int direction, bool right) const {
    const int corner = (direction + (right ? 0 : 3)) % 4;  // 0: lower right, and on clockwise
    return inside(corner == 0 || corner == 3 ? x : x - 1, corner <= 1 ? y : y - 1);
  }

  /// Keeps the mask on its right.
  Contour follow(const int start_x, const int start_y) {
    Contour contour;
    std::int64_t twice_area = 0;
    int x = start_x, y = start_y, direction = kRight;
    do {
      if (direction == kRight) traced_[index(x, y)] = true;
      const int next_x = x + kStepX[direction], next_y = y + kStepY[direction];
      twice_area += std::int64_t{x} * next_y - std::int64_t{next_x} * y;
      x = next_x;
      y = next_y;
      int turned = direction;
      if (!inside_ahead(x, y, direction, /*right=*/true))
        turned = (direction + 1) % 4;
      else if (inside_ahead(x, y, direction, /*right=*/false))
        turned = (direction + 3) % 4;
      if (turned != direction)
        contour.points.push_back({static_cast<float>(x), static_cast<float>(y)});
      direction = turned;
    } while (x != start_x || y != start_y || direction != kRight);
    contour.hole = twice_area < 0;
    return contour;
  }

  const Mask& mask_;
  std::vector<bool> traced_;  ///< pixels along whose top a line runs
};

}  // namespace

std::vector<Contour> trace_contours(const Mask& mask) {
  check(mask.height >= 0 && mask.width >= 0 &&
            mask.data.size() ==
                static_cast<std::size_t>(mask.height) * static_cast<std::size_t>(mask.width),
        ErrorCode::kInvalidArgument, "mask has {} bytes, want height × width, {} × {}",
        mask.data.size(), mask.height, mask.width);
  return Tracer(mask).trace();
}

std::optional<Box> bounding_box(const Mask& mask) {
  int left = mask.width, top = mask.height, right = 0, bottom = 0;
  for (int y = 0; y < mask.height; ++y)
    for (int x = 0; x < mask.width; ++x) {
      if (!mask.data[static_cast<std::size_t>(y) * static_cast<std::size_t>(mask.width) +
                     static_cast<std::size_t>(x)])
        continue;
      left = std::min(left, x);
      top = std::min(top, y);
      right = std::max(right, x + 1);
      bottom = std::max(bottom, y + 1);
    }
  if (right == 0) return std::nullopt;
  return Box{static_cast<float>(left), static_cast<float>(top), static_cast<float>(right),
             static_cast<float>(bottom)};
}

}  // namespace vostrack::annotations
