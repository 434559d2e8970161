/// Videos with a known answer: bright squares that move over a dark, textured ground.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vostrack/error.hpp"
#include "vostrack/frame_source.hpp"
#include "vostrack/types.hpp"

namespace vostrack::test {

/// Two squares: number 0 moves right, number 1 moves left below it.
struct SquareClip {
  int height = 48;
  int width = 72;
  int frames = 8;
  int side = 16;
  int left = 4;  ///< of square 0 on the first frame
  int top = 4;   ///< of square 0
  int step = 2;  ///< pixels a frame

  Box box(int square, std::int64_t frame) const {
    const auto shift = static_cast<float>(step * frame % (width - side - 4));
    const float x = square == 0 ? static_cast<float>(left) + shift
                                : static_cast<float>(width - side - 4) - shift;
    const float y = square == 0 ? static_cast<float>(top) : static_cast<float>(height - side - 4);
    return {x, y, x + static_cast<float>(side), y + static_cast<float>(side)};
  }
  Click centre(int square, std::int64_t frame) const {
    const Box b = box(square, frame);
    return {(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2};
  }
  bool inside(int square, std::int64_t frame, int y, int x) const {
    const Box b = box(square, frame);
    return x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1;
  }
  Image picture(std::int64_t frame) const {
    Image image{height, width, {}};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const auto ground = static_cast<std::uint8_t>(40 + (7 * x + 13 * y) % 17);
        image.rgb.push_back(inside(0, frame, y, x) ? 230 : ground);
        image.rgb.push_back(inside(1, frame, y, x) ? 220 : ground);
        image.rgb.push_back(ground);
      }
    return image;
  }
  Mask mask(int square, std::int64_t frame) const {
    Mask mask{height, width, {}};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) mask.data.push_back(inside(square, frame, y, x) ? 1 : 0);
    return mask;
  }
};

/// What happened to a source, seen from outside after it was handed over.
struct SourceLog {
  std::vector<std::int64_t> reads;
  std::optional<std::int64_t> broken_frame;  ///< reading it fails
  std::function<void()> on_read;
};

/// The clip as a video at 25 frames a second. `log`, if given, must outlive it.
class SquareVideo : public FrameSource {
 public:
  explicit SquareVideo(SquareClip clip = {}, SourceLog* log = nullptr) : clip_(clip), log_(log) {}

  std::int64_t frame_count() const override { return clip_.frames; }
  int height() const override { return clip_.height; }
  int width() const override { return clip_.width; }
  double pts_s(std::int64_t index) const override { return 0.5 + static_cast<double>(index) / 25; }
  std::string name(std::int64_t index) const override { return "square" + std::to_string(index); }
  Frame read(std::int64_t index) override {
    if (log_) {
      if (log_->broken_frame == index)
        throw Error(ErrorCode::kDecode, "frame " + std::to_string(index) + " is broken");
      log_->reads.push_back(index);
      if (log_->on_read) log_->on_read();
    }
    return {clip_.picture(index), index, pts_s(index), name(index)};
  }

 private:
  SquareClip clip_;
  SourceLog* log_;
};

}  // namespace vostrack::test
