#include "annotations/rle.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "base/check.hpp"

namespace vostrack::annotations {
namespace {

/// More than any picture has; keeps what a file claims from becoming an allocation.
constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;

void check_size(int height, int width, ErrorCode code) {
  check(height > 0 && width > 0 && std::int64_t{height} * width <= kMaxPixels, code,
        "run-length mask of {}x{}, want 1 to {} pixels", width, height, kMaxPixels);
}

void check_runs(const Rle& rle, ErrorCode code) {
  check_size(rle.height, rle.width, code);
  std::int64_t sum = 0;
  for (std::uint32_t count : rle.counts) sum += count;
  check(sum == std::int64_t{rle.height} * rle.width, code,
        "run-length mask: runs add up to {}, want {} ({}x{})", sum,
        std::int64_t{rle.height} * rle.width, rle.width, rle.height);
}

}  // namespace

void Rle::validate() const {
  check_runs(*this, ErrorCode::kInvalidArgument);
}

Rle encode_rle(const Mask& mask) {
  check_size(mask.height, mask.width, ErrorCode::kInvalidArgument);
  check(mask.data.size() == std::size_t{1} * mask.height * mask.width, ErrorCode::kInvalidArgument,
        "mask of {} bytes, want {} x {}", mask.data.size(), mask.height, mask.width);
  // Where a run ends is found row by row, as the mask lies in memory, a few pixels at a time: almost
  // all are like the ones above them.
  const auto height = static_cast<std::size_t>(mask.height);
  const auto width = static_cast<std::size_t>(mask.width);
  std::vector<std::vector<std::uint32_t>> ends(width);  // rows, by column
  const auto compare = [&](std::size_t y, std::size_t first, std::size_t last) {
    const std::uint8_t* row = mask.data.data() + y * width;
    for (std::size_t x = first; x < last; ++x)
      if ((row[x] != 0) != (row[x - width] != 0)) ends[x].push_back(static_cast<std::uint32_t>(y));
  };
  constexpr std::size_t kTogether = 32;
  for (std::size_t y = 1; y < height; ++y) {
    const std::uint8_t* row = mask.data.data() + y * width;
    std::size_t x = 0;
    for (; x + kTogether <= width; x += kTogether)
      if (std::memcmp(row + x, row + x - width, kTogether) != 0) compare(y, x, x + kTogether);
    compare(y, x, width);
  }
  Rle rle{mask.height, mask.width, {}};
  bool inside = false;
  std::size_t start = 0;
  const auto end_run = [&](std::size_t end) {
    rle.counts.push_back(static_cast<std::uint32_t>(end - start));
    start = end;
    inside = !inside;
  };
  for (std::size_t x = 0; x < width; ++x) {
    if ((mask.data[x] != 0) != inside) end_run(x * height);
    for (const std::uint32_t y : ends[x]) end_run(x * height + y);
  }
  rle.counts.push_back(static_cast<std::uint32_t>(height * width - start));
  return rle;
}

Mask decode_rle(const Rle& rle) {
  rle.validate();  // before there is memory for it
  Mask mask{rle.height, rle.width, {}};
  mask.data.resize(std::size_t{1} * rle.height * rle.width);
  for_each_stretch(rle, [&](std::int64_t x, std::int64_t first, std::int64_t last) {
    std::uint8_t* at = mask.data.data() + first * rle.width + x;
    for (auto y = first; y < last; ++y, at += rle.width) *at = 1;
  });
  return mask;
}

std::string to_coco_string(const Rle& rle) {
  std::string text;
  for (std::size_t i = 0; i < rle.counts.size(); ++i) {
    std::int64_t value = rle.counts[i];
    if (i > 2) value -= rle.counts[i - 2];
    bool more = true;
    while (more) {
      int digit = static_cast<int>(value & 0x1f);
      value >>= 5;
      more = (digit & 0x10) ? value != -1 : value != 0;  // bit 4 is the sign of what follows
      if (more) digit |= 0x20;
      text.push_back(static_cast<char>(digit + 48));
    }
  }
  return text;
}

Rle from_coco_string(std::string_view text, int height, int width) {
  check_size(height, width, ErrorCode::kCorruptFile);
  Rle rle{height, width, {}};
  for (std::size_t at = 0; at < text.size();) {
    std::int64_t value = 0;
    bool more = true;
    for (int shift = 0; more; shift += 5, ++at) {
      check(at < text.size() && shift <= 30, ErrorCode::kCorruptFile,
            "run-length mask: number {} of the counts does not end", rle.counts.size() + 1);
      const int digit = text[at] - 48;
      check(digit >= 0 && digit < 64, ErrorCode::kCorruptFile,
            "run-length mask: character {} of the counts is no digit", at + 1);
      value |= std::int64_t{digit & 0x1f} << shift;
      more = (digit & 0x20) != 0;
      if (!more && (digit & 0x10)) value -= std::int64_t{1} << (shift + 5);
    }
    if (rle.counts.size() > 2) value += rle.counts[rle.counts.size() - 2];
    check(value >= 0 && value <= std::int64_t{height} * width, ErrorCode::kCorruptFile,
          "run-length mask: a run of {} in {}x{}", value, width, height);
    rle.counts.push_back(static_cast<std::uint32_t>(value));
  }
  check_runs(rle, ErrorCode::kCorruptFile);
  return rle;
}

std::int64_t area(const Rle& rle) {
  std::int64_t sum = 0;
  for (std::size_t i = 1; i < rle.counts.size(); i += 2) sum += rle.counts[i];
  return sum;
}

std::optional<Box> bounding_box(const Rle& rle) {
  rle.validate();
  std::int64_t x0 = std::numeric_limits<std::int64_t>::max(), y0 = x0, x1 = -1, y1 = -1;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < rle.counts.size(); ++i) {
    const std::int64_t end = start + rle.counts[i];
    if (i % 2 == 1 && end > start) {
      const std::int64_t first = start / rle.height, last = (end - 1) / rle.height;
      x0 = std::min(x0, first);
      x1 = std::max(x1, last);
      // A run over more than one column holds the foot of one and the head of the next.
      y0 = std::min(y0, first == last ? start % rle.height : 0);
      y1 = std::max(y1, first == last ? (end - 1) % rle.height : rle.height - 1);
    }
    start = end;
  }
  if (x1 < 0) return std::nullopt;
  return Box{static_cast<float>(x0), static_cast<float>(y0), static_cast<float>(x1 + 1),
             static_cast<float>(y1 + 1)};
}

}  // namespace vostrack::annotations
