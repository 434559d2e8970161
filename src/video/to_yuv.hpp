/// RGB pictures to the planes that video encoders take.
#pragma once

#include <cstdint>

#include "video/ffmpeg.hpp"

namespace vostrack::video {

struct YuvLayout {
  AVPixelFormat format = AV_PIX_FMT_YUV420P;
  int matrix = SWS_CS_ITU709;
  bool even = false;  ///< one more row or column, repeating the last, where a size is odd
};

/// Converts pictures of one size, in limited range. Planes of alpha come out opaque.
///
/// Thread safety: one thread at a time.
class ToYuv {
 public:
  /// @param channels  bytes of a pixel that is given: 3, or 4 of which the last is not looked at
  /// @throws Error kOutOfMemory
  ToYuv(int height, int width, int channels, const YuvLayout& layout);

  int height() const noexcept { return frame_->height; }
  int width() const noexcept { return frame_->width; }

  /// @param pixels  rows without padding
  /// @return        valid until the next call; the caller's to write its pts and alpha
  AVFrame& convert(const std::uint8_t* pixels);

 private:
  int rows_;
  int columns_;
  int channels_;
  ScalerPtr scaler_;
  FramePtr padded_ = new_frame();
  FramePtr frame_ = new_frame();
};

}  // namespace vostrack::video
