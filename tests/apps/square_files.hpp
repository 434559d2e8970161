/// A moving square in files, large enough for the model that ships.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/moving_square.hpp"
#include "video/picture_io.hpp"
#include "video/writer.hpp"

namespace vostrack::test {

struct SquareFiles : SquareClip {
  SquareFiles() {
    height = 120;
    width = 160;
    frames = 10;
    side = 48;
    left = 12;
    top = 36;
    step = 4;
  }

  /// Striped on a light ground: clicks on a plain square are too hard for a small model.
  Image picture(std::int64_t frame) const {
    Image image{height, width, {}};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const auto ground = static_cast<std::uint8_t>(150 + (x * 7 + y * 13) % 11);
        const bool on = inside(0, frame, y, x);
        const bool stripe = (x - static_cast<int>(box(0, frame).x0)) / 6 % 2 == 0;
        image.rgb.push_back(on ? (stripe ? 220 : 160) : ground);
        image.rgb.push_back(on ? (stripe ? 60 : 30) : ground);
        image.rgb.push_back(on ? 30 : ground);
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
    for (std::uint8_t value : mask(0, frame).data)
      image.rgb.insert(image.rgb.end(), 3, value ? 255 : 0);
    video::write_picture(path, image);
    return path;
  }

  /// Intersection over union of a picture's labelled pixels with the square.
  double iou(const std::vector<std::uint8_t>& labels, int frame) const {
    const Mask truth = mask(0, frame);
    int both = 0, any = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      both += labels[i] && truth.data[i];
      any += labels[i] || truth.data[i];
    }
    return any ? static_cast<double>(both) / any : 1;
  }
};

}  // namespace vostrack::test
