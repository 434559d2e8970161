#include "eval/distance.hpp"

#include <algorithm>
#include <cstddef>

namespace vostrack::eval {
namespace {

/// The lower envelope of one row's parabolas x ↦ (x − site)² + height(site)².
class Envelope {
 public:
  explicit Envelope(std::size_t width) : site_(width), start_(width) {}

  /// Replaces the row's heights by squared distances.
  void transform(std::int64_t* row, std::int64_t width) {
    heights_.assign(row, row + width);
    std::int64_t last = 0;
    site_[0] = start_[0] = 0;
    for (std::int64_t x = 1; x < width; ++x) {
      while (last >= 0 && value(start_[last], site_[last]) > value(start_[last], x)) --last;
      if (last < 0) {
        last = 0;
        site_[0] = x;
        continue;
      }
      const std::int64_t from = 1 + crossing(site_[last], x);
      if (from >= width) continue;
      ++last;
      site_[last] = x;
      start_[last] = from;
    }
    for (std::int64_t x = width - 1; x >= 0; --x) {
      row[x] = value(x, site_[last]);
      if (x == start_[last]) --last;
    }
  }

 private:
  std::int64_t value(std::int64_t x, std::int64_t site) const {
    return (x - site) * (x - site) + heights_[site] * heights_[site];
  }
  /// The last x, rounded down, at which the left site is not farther than the right one.
  std::int64_t crossing(std::int64_t left, std::int64_t right) const {
    const std::int64_t rise = right * right - left * left + heights_[right] * heights_[right] -
                              heights_[left] * heights_[left];
    return rise / (2 * (right - left));
  }

  std::vector<std::int64_t> heights_, site_, start_;
};

}  // namespace

std::vector<std::int64_t> squared_distances(const Mask& sites) {
  const std::int64_t height = sites.height, width = sites.width;
  const std::int64_t far = height + width;  // farther than any two pixels are
  std::vector<std::int64_t> result(sites.data.size());
  if (result.empty()) return result;

  // Down and up each column, row by row, as memory lies.
  for (std::int64_t i = 0; i < height * width; ++i)
    result[i] = sites.data[i] ? 0 : i < width ? far : std::min(far, result[i - width] + 1);
  for (std::int64_t i = (height - 1) * width - 1; i >= 0; --i)
    result[i] = std::min(result[i], result[i + width] + 1);
  Envelope envelope(static_cast<std::size_t>(width));
  for (std::int64_t y = 0; y < height; ++y) envelope.transform(result.data() + y * width, width);
  for (std::int64_t& square : result)
    if (square >= far * far) square = kNoSite;
  return result;
}

}  // namespace vostrack::eval
