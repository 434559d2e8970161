#include "train/data/colour.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace vostrack::train {
namespace {

using Matrix = std::array<double, 9>;

/// Rec. 601.
constexpr std::array<double, 3> kLuma = {0.299, 0.587, 0.114};

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c{};
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t column = 0; column < 3; ++column)
      for (std::size_t k = 0; k < 3; ++k) c[3 * row + column] += a[3 * row + k] * b[3 * k + column];
  return c;
}

/// Grey stays; the rest is multiplied.
Matrix saturation_of(double factor) {
  Matrix m{};
  for (std::size_t row = 0; row < 3; ++row)
    for (std::size_t column = 0; column < 3; ++column)
      m[3 * row + column] = (1 - factor) * kLuma[column] + (row == column ? factor : 0);
  return m;
}

/// A turn about the grey axis.
Matrix hue_of(double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const double c = std::cos(angle), s = std::sin(angle) / std::numbers::sqrt3, d = (1 - c) / 3;
  return {c + d, d - s, d + s, d + s, c + d, d - s, d - s, d + s, c + d};
}

std::uint8_t level(float value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.f, 255.f) + 0.5f);
}

int mirrored(int i, int count) {
  while (i < 0 || i >= count) i = i < 0 ? -1 - i : 2 * count - 1 - i;
  return i;
}

}  // namespace

ColourChange random_colours(Random& random, const AugmentConfig& config) {
  ColourChange change;
  change.gamma = random.ratio(config.gamma);
  const double contrast = 1 + random.uniform(-1, 1) * config.contrast;
  const double brightness = random.uniform(-1, 1) * config.brightness;
  const double saturation = 1 + random.uniform(-1, 1) * config.saturation;
  const double hue = random.uniform(-1, 1) * config.hue_degrees;
  const bool grey = random.chance(config.grey);
  change.matrix = product(hue_of(hue), saturation_of(grey ? 0 : saturation));
  for (double& value : change.matrix) value *= contrast;
  change.offset.fill(0.5 * (1 - contrast) + brightness);
  return change;
}

void change_colours(std::span<const std::uint8_t> rgb, const ColourChange& change,
                    std::span<std::uint8_t> planes) {
  std::array<float, 256> table;
  for (std::size_t i = 0; i < 256; ++i)
    table[i] = static_cast<float>(255 * std::pow(static_cast<double>(i) / 255, change.gamma));
  const std::size_t pixels = rgb.size() / 3;
  std::array<float, 12> m;
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t k = 0; k < 3; ++k)
      m[4 * row + k] = static_cast<float>(change.matrix[3 * row + k]);
    m[4 * row + 3] = static_cast<float>(255 * change.offset[row]);
  }
  for (std::size_t i = 0; i < pixels; ++i) {
    const float r = table[rgb[3 * i]], g = table[rgb[3 * i + 1]], b = table[rgb[3 * i + 2]];
    planes[i] = level(m[0] * r + m[1] * g + m[2] * b + m[3]);
    planes[pixels + i] = level(m[4] * r + m[5] * g + m[6] * b + m[7]);
    planes[2 * pixels + i] = level(m[8] * r + m[9] * g + m[10] * b + m[11]);
  }
}

void blur(std::span<std::uint8_t> planes, int size, double sigma) {
  const int radius = std::max(1, static_cast<int>(std::ceil(2.5 * sigma)));
  std::vector<float> kernel;
  float sum = 0;
  for (int i = -radius; i <= radius; ++i) {
    kernel.push_back(static_cast<float>(std::exp(-i * i / (2 * sigma * sigma))));
    sum += kernel.back();
  }
  for (float& weight : kernel) weight /= sum;

  const auto side = static_cast<std::size_t>(size);
  std::vector<float> padded(side + 2 * static_cast<std::size_t>(radius)), rows(side * side),
      total(side);
  for (std::size_t plane = 0; plane < planes.size(); plane += side * side) {
    for (std::size_t y = 0; y < side; ++y) {
      const std::uint8_t* row = planes.data() + plane + y * side;
      for (int x = -radius; x < size + radius; ++x)
        padded[static_cast<std::size_t>(x + radius)] = row[mirrored(x, size)];
      float* to = rows.data() + y * side;
      std::fill(to, to + side, 0.f);
      for (std::size_t k = 0; k < kernel.size(); ++k)
        for (std::size_t x = 0; x < side; ++x) to[x] += kernel[k] * padded[x + k];
    }
    for (int y = 0; y < size; ++y) {
      std::fill(total.begin(), total.end(), 0.f);
      for (int k = -radius; k <= radius; ++k) {
        const float* from = rows.data() + static_cast<std::size_t>(mirrored(y + k, size)) * side;
        const float weight = kernel[static_cast<std::size_t>(k + radius)];
        for (std::size_t x = 0; x < side; ++x) total[x] += weight * from[x];
      }
      std::uint8_t* to = planes.data() + plane + static_cast<std::size_t>(y) * side;
      for (std::size_t x = 0; x < side; ++x) to[x] = level(total[x]);
    }
  }
}

void add_noise(std::span<std::uint8_t> planes, double sigma, Random& random) {
  // The sum of four bytes has a variance of 4 (256² − 1) / 12.
  const auto scale = static_cast<float>(sigma / std::sqrt((256.0 * 256 - 1) / 3));
  for (std::size_t i = 0; i < planes.size();) {
    std::uint64_t bits = random.next();
    for (int half = 0; half < 2 && i < planes.size(); ++half, ++i, bits >>= 32) {
      const auto sum = static_cast<float>((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) +
                                          (bits >> 24 & 255));
      planes[i] = level(planes[i] + scale * (sum - 510));
    }
  }
}

}  // namespace vostrack::train
