/// Decoded frames to upright RGB.
#pragma once

#include <optional>

#include "video/ffmpeg.hpp"
#include "video/orientation.hpp"
#include "video/tone_map.hpp"
#include "video/yuv420.hpp"
#include "vostrack/types.hpp"

namespace vostrack::video {

/// What a frame says about its colours. FFmpeg passes on from a damaged file what is no value of
/// its enumerations; that counts as unspecified here.
struct FrameColour {
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorRange range = AVCOL_RANGE_UNSPECIFIED;
  AVColorTransferCharacteristic transfer = AVCOL_TRC_UNSPECIFIED;
  AVColorPrimaries primaries = AVCOL_PRI_UNSPECIFIED;

  bool operator==(const FrameColour&) const = default;
};

FrameColour colour_of(const AVFrame& frame);

/// Converts any pixel format to RGB24, honouring the frame's colour matrix and range. A frame of
/// another size than the first is resized to it, so that a video has one size.
///
/// Where the frame does not name its matrix, BT.709 is taken for 720 rows and more and BT.601
/// below, which is what players do; an unnamed range is the limited one. HDR (PQ and HLG) is
/// tone-mapped, see tone_map.hpp. Alpha is ignored.
class RgbConverter {
 public:
  /// @param height, width  as stored, before turning
  RgbConverter(int height, int width, Orientation orientation);

  /// Height and width after turning.
  int height() const noexcept { return orientation_.transposed ? width_ : height_; }
  int width() const noexcept { return orientation_.transposed ? height_ : width_; }

  /// @param reused  an earlier picture, whose memory the new one takes
  /// @throws Error kDecode for a pixel format that cannot be converted, without the file's name
  Image convert(const AVFrame& frame, Image reused = {});

 private:
  void configure(const AVFrame& frame);
  bool is_configured_for(const AVFrame& frame) const;
  void open_scaler(const AVFrame& frame, AVPixelFormat layout);
  void tone_map();
  Image convert_quickly(const AVFrame& frame, Image reused);

  int height_;
  int width_;
  Orientation orientation_;
  bool configured_ = false;
  ScalerPtr scaler_;  ///< one of these two converts
  std::optional<Yuv420Converter> quick_;
  FramePtr rgb_;  ///< what the scaler fills, or pictures that are turned
  FramePtr hdr_;  ///< 16 bits a sample, before tone mapping
  std::optional<ToneMapper> tone_mapper_;
  int source_height_ = 0;
  int source_width_ = 0;
  int source_format_ = AV_PIX_FMT_NONE;
  FrameColour source_colour_;
};

}  // namespace vostrack::video
