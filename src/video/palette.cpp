#include "video/palette.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

namespace vostrack::video {
namespace {

using Lab = std::array<double, 3>;

/// As many as people follow at a time.
constexpr std::size_t kVividColours = 12;

double linear(std::uint8_t value) {
  const double v = value / 255.0;
  return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

Lab oklab(Rgb colour) {
  const double r = linear(colour.r), g = linear(colour.g), b = linear(colour.b);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
          1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
          0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

double distance(const Lab& a, const Lab& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/// Each further colour is the one farthest from all before it.
std::array<Rgb, kObjectColours> spread_colours() {
  struct Candidate {
    Rgb colour;
    Lab lab;
    bool vivid;
    double nearest = std::numeric_limits<double>::max();
  };
  std::vector<Candidate> candidates;
  constexpr int kStep = 15;
  for (int r = 0; r <= 255; r += kStep)
    for (int g = 0; g <= 255; g += kStep)
      for (int b = 0; b <= 255; b += kStep) {
        const Rgb colour{static_cast<std::uint8_t>(r), static_cast<std::uint8_t>(g),
                         static_cast<std::uint8_t>(b)};
        const Lab lab = oklab(colour);
        const double chroma = std::hypot(lab[1], lab[2]);
        // Dark and pale colours vanish when laid over pictures; the first must be strong ones.
        const bool vivid = lab[0] > 0.52 && lab[0] < 0.90 && chroma > 0.16;
        if (lab[0] > 0.45 && lab[0] < 0.92 && chroma > 0.10)
          candidates.push_back({colour, lab, vivid});
      }
  std::array<Rgb, kObjectColours> chosen;
  chosen[0] = {0, 165, 255};  // a blue that hardly any object has
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Lab lab = oklab(chosen[i]);
    for (Candidate& candidate : candidates)
      candidate.nearest = std::min(candidate.nearest, distance(candidate.lab, lab));
    const bool any = i + 1 >= kVividColours;
    const auto farther = [any](const Candidate& a, const Candidate& b) {
      return (any || a.vivid ? a.nearest : 0) < (any || b.vivid ? b.nearest : 0);
    };
    if (i + 1 < chosen.size())
      chosen[i + 1] = std::max_element(candidates.begin(), candidates.end(), farther)->colour;
  }
  return chosen;
}

}  // namespace

Rgb object_colour(std::int64_t id) {
  static const std::array<Rgb, kObjectColours> colours = spread_colours();
  // People number objects from 1; two rounds more keep negative numbers inside.
  const std::int64_t place = (id % kObjectColours + 2 * kObjectColours - 1) % kObjectColours;
  return colours[place];
}

double colour_distance(Rgb a, Rgb b) {
  return distance(oklab(a), oklab(b));
}

}  // namespace vostrack::video
