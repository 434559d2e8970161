/// The commonest pixel formats to RGB, quickly.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "video/ffmpeg.hpp"

namespace vostrack::video {

/// Converts 8-bit 4:2:0 (three planes, or two as in NV12) to RGB24, several times as fast as
/// swscale does when it is asked for accuracy, and as accurate: chroma is interpolated by the same
/// bicubic filter (swscale's, B = 0, C = 0.6) both ways from samples in the middle of four pixels,
/// and every step keeps at least four bits more than the result.
///
/// The bytes do not depend on the processor.
///
/// Thread safety: one thread at a time.
class Yuv420Converter {
 public:
  /// Even sizes only: over odd ones swscale stretches chroma by half a sample.
  static bool takes(const AVFrame& frame);

  /// @param matrix  as sws_getCoefficients gives it
  Yuv420Converter(int width, const int* matrix, bool full_range);

  /// Begins with a frame, which must stay until its last row.
  void start(const AVFrame& frame);
  /// Row `y` of that frame, three bytes a pixel.
  void convert_row(int y, std::uint8_t* rgb);

  /// Numbers of the conversion in steps of 1/32768: an eighth of the factors of Y, of V for red, of
  /// U and V for green, of U for blue.
  struct Factors {
    std::int16_t y, red_v, green_u, green_v, blue_u;
    std::int16_t black;  ///< Y of black
  };

 private:
  struct Plane {
    const std::uint8_t* data = nullptr;
    std::ptrdiff_t stride = 0;
  };

  int chroma_width_;
  Factors factors_;
  const AVFrame* frame_ = nullptr;
  std::array<Plane, 2> chroma_;
  std::array<std::vector<std::uint8_t>, 2> split_;    ///< of NV12
  std::array<std::vector<std::int16_t>, 2> blended_;  ///< a chroma row with two more at each end
};

}  // namespace vostrack::video
