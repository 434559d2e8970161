#include "train/data/jpeg_flaws.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace vostrack::train {
namespace {

constexpr int kSide = 8;
using Block = std::array<float, kSide * kSide>;
using Table = std::array<int, kSide * kSide>;

constexpr Table kLuma = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
                         14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
                         18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
                         49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};
constexpr Table kChroma = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                           24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                           99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                           99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

Block steps_of(const Table& table, int quality) {
  const int scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  Block steps;
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i] = static_cast<float>(std::clamp((table[i] * scale + 50) / 100, 1, 255));
  return steps;
}

/// Rows are the orthonormal cosines.
Block cosines() {
  Block c;
  for (int k = 0; k < kSide; ++k)
    for (int x = 0; x < kSide; ++x)
      c[static_cast<std::size_t>(k * kSide + x)] =
          static_cast<float>((k == 0 ? std::sqrt(1.0 / kSide) : std::sqrt(2.0 / kSide)) *
                             std::cos((2 * x + 1) * k * std::numbers::pi / (2 * kSide)));
  return c;
}

Block transposed(const Block& a) {
  Block b;
  for (std::size_t i = 0; i < kSide; ++i)
    for (std::size_t j = 0; j < kSide; ++j) b[j * kSide + i] = a[i * kSide + j];
  return b;
}

/// c = a b
void multiply(const Block& a, const Block& b, Block& c) {
  for (std::size_t i = 0; i < kSide; ++i) {
    std::array<float, kSide> row{};
    for (std::size_t k = 0; k < kSide; ++k)
      for (std::size_t j = 0; j < kSide; ++j) row[j] += a[i * kSide + k] * b[k * kSide + j];
    std::copy(row.begin(), row.end(), c.begin() + static_cast<std::ptrdiff_t>(i * kSide));
  }
}

/// To the nearest whole number, for what a float holds exactly.
float rounded(float value) {
  constexpr float kShift = 12582912.f;  // 1.5 * 2^23
  return value + kShift - kShift;
}

/// A plane whose sides are multiples of 8.
struct Plane {
  explicit Plane(int size_)
      : size(size_),
        stride((size_ + kSide - 1) / kSide * kSide),
        values(static_cast<std::size_t>(stride) * static_cast<std::size_t>(stride)) {}
  float& at(int y, int x) { return values[static_cast<std::size_t>(y * stride + x)]; }

  void fill_rest() {
    for (int y = 0; y < stride; ++y)
      for (int x = y < size ? size : 0; x < stride; ++x)
        at(y, x) = at(std::min(y, size - 1), std::min(x, size - 1));
  }
  void quantise(const Block& steps) {
    static const Block kForward = cosines(), kBackward = transposed(kForward);
    Block inverse;
    for (std::size_t i = 0; i < steps.size(); ++i) inverse[i] = 1 / steps[i];
    Block block, half;
    for (int top = 0; top < stride; top += kSide)
      for (int left = 0; left < stride; left += kSide) {
        for (int y = 0; y < kSide; ++y)
          std::copy_n(&at(top + y, left), kSide, block.begin() + y * kSide);
        multiply(kForward, block, half);
        multiply(half, kBackward, block);
        for (std::size_t i = 0; i < block.size(); ++i)
          block[i] = steps[i] * rounded(block[i] * inverse[i]);
        multiply(kBackward, block, half);
        multiply(half, kForward, block);
        for (int y = 0; y < kSide; ++y)
          std::copy_n(block.begin() + y * kSide, kSide, &at(top + y, left));
      }
  }

  int size, stride;
  std::vector<float> values;
};

std::uint8_t level(float value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.f, 255.f) + 0.5f);
}

}  // namespace

void add_jpeg_flaws(std::span<std::uint8_t> planes, int size, int quality) {
  const std::size_t pixels = planes.size() / 3;
  const std::uint8_t* red = planes.data();
  const std::uint8_t* green = red + pixels;
  const std::uint8_t* blue = green + pixels;
  Plane luma(size), blueness((size + 1) / 2), redness((size + 1) / 2);
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const auto i = static_cast<std::size_t>(y * size + x);
      luma.at(y, x) = 0.299f * red[i] + 0.587f * green[i] + 0.114f * blue[i] - 128;
    }
  for (int y = 0; y < blueness.size; ++y)
    for (int x = 0; x < blueness.size; ++x) {
      float r = 0, g = 0, b = 0;
      for (const int row : {2 * y, std::min(2 * y + 1, size - 1)})
        for (const int column : {2 * x, std::min(2 * x + 1, size - 1)}) {
          const auto i = static_cast<std::size_t>(row * size + column);
          r += red[i];
          g += green[i];
          b += blue[i];
        }
      blueness.at(y, x) = (-0.168736f * r - 0.331264f * g + 0.5f * b) / 4;
      redness.at(y, x) = (0.5f * r - 0.418688f * g - 0.081312f * b) / 4;
    }
  for (Plane* plane : {&luma, &blueness, &redness}) {
    plane->fill_rest();
    plane->quantise(steps_of(plane == &luma ? kLuma : kChroma, quality));
  }
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const auto i = static_cast<std::size_t>(y * size + x);
      const float l = luma.at(y, x) + 128, cb = blueness.at(y / 2, x / 2),
                  cr = redness.at(y / 2, x / 2);
      planes[i] = level(l + 1.402f * cr);
      planes[pixels + i] = level(l - 0.344136f * cb - 0.714136f * cr);
      planes[2 * pixels + i] = level(l + 1.772f * cb);
    }
}

}  // namespace vostrack::train
