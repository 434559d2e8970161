#include "eval/measures.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.hpp"

namespace vostrack::eval {
namespace {

void check_sizes(const Mask& predicted, const Mask& truth) {
  check(predicted.height == truth.height && predicted.width == truth.width,
        ErrorCode::kInvalidArgument, "the mask is {}x{}, want the annotation's {}x{}",
        predicted.width, predicted.height, truth.width, truth.height);
  const std::size_t pixels =
      static_cast<std::size_t>(truth.height) * static_cast<std::size_t>(truth.width);
  check(predicted.data.size() == pixels && truth.data.size() == pixels, ErrorCode::kInvalidArgument,
        "masks have {} and {} bytes, want {}", predicted.data.size(), truth.data.size(), pixels);
}

struct Pixel {
  int y = 0;
  int x = 0;
};

std::vector<Pixel> pixels_of(const Mask& mask) {
  std::vector<Pixel> pixels;
  std::size_t at = 0;
  for (int y = 0; y < mask.height; ++y)
    for (int x = 0; x < mask.width; ++x)
      if (mask.data[at++]) pixels.push_back({y, x});
  return pixels;
}

/// The pixels of a disc around 0, 0, the nearest first: most contour pixels that have a partner
/// have it near by.
std::vector<Pixel> disc(int radius) {
  std::vector<Pixel> offsets;
  for (int y = -radius; y <= radius; ++y)
    for (int x = -radius; x <= radius; ++x)
      if (y * y + x * x <= radius * radius) offsets.push_back({y, x});
  std::stable_sort(offsets.begin(), offsets.end(), [](const Pixel& a, const Pixel& b) {
    return a.y * a.y + a.x * a.x < b.y * b.y + b.x * b.x;
  });
  return offsets;
}

/// How many of the pixels have one of `map` within the disc.
std::size_t count_near(const std::vector<Pixel>& pixels, const Mask& map,
                       const std::vector<Pixel>& disc) {
  std::size_t near = 0;
  for (const Pixel& pixel : pixels)
    near += std::any_of(disc.begin(), disc.end(), [&](const Pixel& offset) {
      const int y = pixel.y + offset.y, x = pixel.x + offset.x;
      return y >= 0 && y < map.height && x >= 0 && x < map.width &&
             map.data[static_cast<std::size_t>(y) * static_cast<std::size_t>(map.width) +
                      static_cast<std::size_t>(x)] != 0;
    });
  return near;
}

}  // namespace

double region_similarity(const Mask& predicted, const Mask& truth) {
  check_sizes(predicted, truth);
  std::int64_t both = 0, any = 0;
  for (std::size_t i = 0; i < truth.data.size(); ++i) {
    both += predicted.data[i] && truth.data[i];
    any += predicted.data[i] || truth.data[i];
  }
  return any == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(any);
}

Mask boundary_map(const Mask& mask) {
  Mask map{mask.height, mask.width, std::vector<std::uint8_t>(mask.data.size(), 0)};
  const auto width = static_cast<std::size_t>(mask.width);
  const auto on = [&](std::size_t at) { return mask.data[at] != 0; };
  for (int y = 0; y < mask.height; ++y)
    for (int x = 0; x < mask.width; ++x) {
      const std::size_t at = static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x);
      const bool right = x + 1 < mask.width, below = y + 1 < mask.height;
      map.data[at] = (right && on(at) != on(at + 1)) || (below && on(at) != on(at + width)) ||
                     (right && below && on(at) != on(at + width + 1));
    }
  return map;
}

int boundary_radius(int height, int width, double tolerance) {
  return static_cast<int>(
      std::ceil(tolerance * std::hypot(static_cast<double>(height), static_cast<double>(width))));
}

double boundary_similarity(const Mask& predicted, const Mask& truth, int radius) {
  check_sizes(predicted, truth);
  check(radius >= 0, ErrorCode::kInvalidArgument, "boundary radius is {}, want at least 0", radius);
  const Mask predicted_map = boundary_map(predicted), true_map = boundary_map(truth);
  const std::vector<Pixel> predicted_pixels = pixels_of(predicted_map);
  const std::vector<Pixel> true_pixels = pixels_of(true_map);
  if (predicted_pixels.empty() || true_pixels.empty())
    return predicted_pixels.empty() && true_pixels.empty() ? 1.0 : 0.0;

  const std::vector<Pixel> offsets = disc(radius);
  const double precision = static_cast<double>(count_near(predicted_pixels, true_map, offsets)) /
                           static_cast<double>(predicted_pixels.size());
  const double recall = static_cast<double>(count_near(true_pixels, predicted_map, offsets)) /
                        static_cast<double>(true_pixels.size());
  return precision + recall == 0 ? 0.0 : 2 * precision * recall / (precision + recall);
}

}  // namespace vostrack::eval
