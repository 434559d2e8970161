#include "video/colour.hpp"

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/check.hpp"

namespace vostrack::video {
namespace {

/// The formats that carry "full range" in their name are deprecated; same layout without it.
AVPixelFormat without_range(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      return AV_PIX_FMT_YUV420P;
    case AV_PIX_FMT_YUVJ411P:
      return AV_PIX_FMT_YUV411P;
    case AV_PIX_FMT_YUVJ422P:
      return AV_PIX_FMT_YUV422P;
    case AV_PIX_FMT_YUVJ440P:
      return AV_PIX_FMT_YUV440P;
    case AV_PIX_FMT_YUVJ444P:
      return AV_PIX_FMT_YUV444P;
    default:
      return format;
  }
}

int matrix_of(AVColorSpace space, int height) {
  switch (space) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return height >= 720 ? SWS_CS_ITU709 : SWS_CS_ITU601;
  }
}

/// swscale may write past a row whose length is not a multiple of its vectors, hence a frame of
/// FFmpeg's own with aligned rows.
FramePtr new_picture(AVPixelFormat format, int height, int width) {
  FramePtr frame = new_frame();
  frame->format = format;
  frame->height = height;
  frame->width = width;
  check(av_frame_get_buffer(frame.get(), 0) == 0, ErrorCode::kOutOfMemory,
        "no memory for a picture of {}x{}", width, height);
  return frame;
}

/// Loading such a field as what it is declared to be would be undefined.
template <class Enum>
Enum checked(const Enum& field, Enum end, Enum otherwise) {
  std::underlying_type_t<Enum> value;
  std::memcpy(&value, &field, sizeof value);
  return value < static_cast<std::underlying_type_t<Enum>>(end) ? static_cast<Enum>(value)
                                                                : otherwise;
}

}  // namespace

FrameColour colour_of(const AVFrame& frame) {
  return {checked(frame.colorspace, AVCOL_SPC_NB, AVCOL_SPC_UNSPECIFIED),
          checked(frame.color_range, AVCOL_RANGE_NB, AVCOL_RANGE_UNSPECIFIED),
          checked(frame.color_trc, AVCOL_TRC_NB, AVCOL_TRC_UNSPECIFIED),
          checked(frame.color_primaries, AVCOL_PRI_NB, AVCOL_PRI_UNSPECIFIED)};
}

RgbConverter::RgbConverter(int height, int width, Orientation orientation)
    : height_(height), width_(width), orientation_(orientation) {}

void RgbConverter::configure(const AVFrame& frame) {
  configured_ = false;
  const auto format = static_cast<AVPixelFormat>(frame.format);
  const AVPixelFormat layout = without_range(format);
  const FrameColour colour = colour_of(frame);
  const bool hdr = is_hdr(colour.transfer);
  const bool full = colour.range == AVCOL_RANGE_JPEG || layout != format;
  const int* matrix = sws_getCoefficients(matrix_of(colour.matrix, frame.height));
  quick_.reset();
  tone_mapper_.reset();
  if (hdr) tone_mapper_.emplace(colour.transfer, colour.primaries);
  if (!hdr && frame.height == height_ && frame.width == width_ && Yuv420Converter::takes(frame))
    quick_.emplace(width_, matrix, full);
  else
    open_scaler(frame, layout);
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(layout);
  if (!quick_ && description != nullptr && !(description->flags & AV_PIX_FMT_FLAG_RGB))
    sws_setColorspaceDetails(scaler_.get(), matrix, full, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0,
                             1 << 16, 1 << 16);
  source_height_ = frame.height;
  source_width_ = frame.width;
  source_format_ = frame.format;
  source_colour_ = colour;
  configured_ = true;
}

void RgbConverter::open_scaler(const AVFrame& frame, AVPixelFormat layout) {
  const bool same_size = frame.height == height_ && frame.width == width_;
  const int flags = (same_size ? SWS_BICUBIC : SWS_AREA) | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT |
                    SWS_FULL_CHR_H_INP;
  const AVPixelFormat target = tone_mapper_ ? AV_PIX_FMT_RGB48 : AV_PIX_FMT_RGB24;
  scaler_.reset(sws_getContext(frame.width, frame.height, layout, width_, height_, target, flags,
                               nullptr, nullptr, nullptr));
  const char* name = av_get_pix_fmt_name(layout);
  check(scaler_ != nullptr, ErrorCode::kDecode, "pixel format {} cannot be converted to RGB",
        name ? name : "(unknown)");
  FramePtr& picture = tone_mapper_ ? hdr_ : rgb_;
  if (!picture || picture->format != target) picture = new_picture(target, height_, width_);
  if (!rgb_) rgb_ = new_picture(AV_PIX_FMT_RGB24, height_, width_);
}

bool RgbConverter::is_configured_for(const AVFrame& frame) const {
  return configured_ && frame.height == source_height_ && frame.width == source_width_ &&
         frame.format == source_format_ && colour_of(frame) == source_colour_;
}

void RgbConverter::tone_map() {
  for (int y = 0; y < height_; ++y)
    tone_mapper_->convert_row(reinterpret_cast<const std::uint16_t*>(
                                  hdr_->data[0] + std::ptrdiff_t{y} * hdr_->linesize[0]),
                              width_, rgb_->data[0] + std::ptrdiff_t{y} * rgb_->linesize[0]);
}

Image RgbConverter::convert_quickly(const AVFrame& frame, Image image) {
  quick_->start(frame);
  if (orientation_ == Orientation{}) {
    const std::size_t row_bytes = std::size_t{3} * width_;
    image.height = height_;
    image.width = width_;
    image.rgb.reserve(row_bytes * height_);
    for (int y = 0; y < height_; ++y) {
      // New memory becomes zeros first, row by row, so that each is in the cache when it is filled.
      if (image.rgb.size() < row_bytes * (y + 1)) image.rgb.resize(row_bytes * (y + 1));
      quick_->convert_row(y, image.rgb.data() + row_bytes * y);
    }
    image.rgb.resize(row_bytes * height_);
    return image;
  }
  if (!rgb_) rgb_ = new_picture(AV_PIX_FMT_RGB24, height_, width_);
  for (int y = 0; y < height_; ++y)
    quick_->convert_row(y, rgb_->data[0] + std::ptrdiff_t{y} * rgb_->linesize[0]);
  return upright(rgb_->data[0], rgb_->linesize[0], height_, width_, orientation_, std::move(image));
}

Image RgbConverter::convert(const AVFrame& frame, Image reused) {
  if (!is_configured_for(frame)) configure(frame);
  if (quick_) return convert_quickly(frame, std::move(reused));
  AVFrame& target = tone_mapper_ ? *hdr_ : *rgb_;
  const int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height,
                             target.data, target.linesize);
  check(rows == height_, ErrorCode::kDecode, "the conversion to RGB gave {} rows, want {}", rows,
        height_);
  if (tone_mapper_) tone_map();
  return upright(rgb_->data[0], rgb_->linesize[0], height_, width_, orientation_,
                 std::move(reused));
}

}  // namespace vostrack::video
