/// Pictures and clips made in code: a white square that moves right over a coloured ground.
#pragma once

#include <string>
#include <vector>

#include "support/errors.hpp"
#include "video/writer.hpp"
#include "vostrack/types.hpp"

namespace vostrack::test {

inline Image plain(int height, int width, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Image image{height, width, {}};
  for (int i = 0; i < height * width; ++i) image.rgb.insert(image.rgb.end(), {r, g, b});
  return image;
}

inline Image moving_square(int height, int width, int step) {
  Image image = plain(height, width, 40, 90, 140);
  // A ground with some grain, so that every frame costs bytes.
  for (std::size_t i = 0; i < image.rgb.size(); ++i)
    image.rgb[i] += (i / 3 * 2654435761u + static_cast<unsigned>(step) * 40503u) >> 16 & 7;
  const int x0 = (4 * step) % (width - 16);
  for (int y = height / 4; y < height / 4 + 16; ++y)
    for (int x = x0; x < x0 + 16; ++x)
      for (int c = 0; c < 3; ++c) image.rgb[3 * (y * width + x) + c] = 255;
  return image;
}

/// Writes a clip with the given times in seconds.
inline void write_clip(const std::string& path, const std::vector<double>& times, int height = 96,
                       int width = 128, double nominal_fps = 5) {
  // A key frame every four nominal seconds: the lower the rate, the more there are.
  video::VideoWriter writer(path, height, width, {.nominal_fps = nominal_fps});
  for (std::size_t i = 0; i < times.size(); ++i)
    writer.write(moving_square(height, width, static_cast<int>(i)), times[i]);
  writer.finish();
}

inline std::vector<double> steady_times(int count, double fps) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) times.push_back(i / fps);
  return times;
}

/// Mean absolute difference per channel.
inline double difference(const Image& a, const Image& b) {
  if (a.height != b.height || a.width != b.width) return 1e9;
  double sum = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(int{a.rgb[i]} - int{b.rgb[i]});
  return sum / static_cast<double>(a.rgb.size());
}

}  // namespace vostrack::test
