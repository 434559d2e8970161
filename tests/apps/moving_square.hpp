/// A clip with a known answer: a striped square that moves over a plain ground.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "video/picture_io.hpp"
#include "video/writer.hpp"
#include "vostrack/types.hpp"

namespace vostrack::test {

struct MovingSquare {
  int height = 120;
  int width = 160;
  int frames = 10;
  int side = 48;
  int step = 4;  ///< pixels a frame, to the right

  int left(int frame) const { return 12 + step * frame; }
  int top() const { return 36; }
  bool inside(int frame, int y, int x) const {
    return y >= top() && y < top() + side && x >= left(frame) && x < left(frame) + side;
  }

  Image picture(int frame) const {
    Image image{height, width, {}};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const bool on = inside(frame, y, x);
        const bool stripe = (x - left(frame)) / 6 % 2 == 0;
        const auto ground = static_cast<std::uint8_t>(150 + (x * 7 + y * 13) % 11);
        const std::uint8_t red = on ? (stripe ? 220 : 160) : ground;
        const std::uint8_t green = on ? (stripe ? 60 : 30) : ground;
        image.rgb.insert(image.rgb.end(), {red, green, on ? std::uint8_t{30} : ground});
      }
    return image;
  }

  std::string write_clip(const std::string& path) const {
    video::VideoWriter writer(path, height, width);
    for (int frame = 0; frame < frames; ++frame) writer.write(picture(frame), frame / 30.0);
    writer.finish();
    return path;
  }

  /// White on the square, black beside it.
  std::string write_mask(const std::string& path, int frame) const {
    Image image{height, width, {}};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        image.rgb.insert(image.rgb.end(), 3, inside(frame, y, x) ? 255 : 0);
    video::write_picture(path, image);
    return path;
  }

  /// Intersection over union of a picture's labelled pixels with the square.
  double iou(const std::vector<std::uint8_t>& labels, int frame) const {
    int both = 0, any = 0;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const bool on = labels[static_cast<std::size_t>(y * width + x)] != 0;
        both += on && inside(frame, y, x);
        any += on || inside(frame, y, x);
      }
    return any ? static_cast<double>(both) / any : 1;
  }
};

}  // namespace vostrack::test
