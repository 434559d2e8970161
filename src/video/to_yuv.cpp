#include "video/to_yuv.hpp"

#include <algorithm>

namespace vostrack::video {

ToYuv::ToYuv(int height, int width, int channels, const YuvLayout& layout)
    : rows_(height), columns_(width), channels_(channels) {
  const auto fitted = [&](int size) { return layout.even ? size + size % 2 : size; };
  frame_->format = layout.format;
  frame_->height = padded_->height = fitted(height);
  frame_->width = padded_->width = fitted(width);
  frame_->colorspace = layout.matrix == SWS_CS_ITU709 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  frame_->color_range = AVCOL_RANGE_MPEG;
  const AVPixelFormat given = channels == 4 ? AV_PIX_FMT_RGB0 : AV_PIX_FMT_RGB24;
  padded_->format = given;
  scaler_.reset(sws_getContext(frame_->width, frame_->height, given, frame_->width, frame_->height,
                               layout.format, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP,
                               nullptr, nullptr, nullptr));
  check(scaler_ && av_frame_get_buffer(frame_.get(), 0) >= 0 &&
            av_frame_get_buffer(padded_.get(), 0) >= 0,
        ErrorCode::kOutOfMemory, "no memory for frames of {}x{}", width, height);
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1,
                           sws_getCoefficients(layout.matrix), 0, 0, 1 << 16, 1 << 16);
}

AVFrame& ToYuv::convert(const std::uint8_t* pixels) {
  for (int y = 0; y < padded_->height; ++y) {
    const std::uint8_t* in = pixels + std::ptrdiff_t{channels_} * std::min(y, rows_ - 1) * columns_;
    std::uint8_t* out = padded_->data[0] + std::ptrdiff_t{y} * padded_->linesize[0];
    std::copy_n(in, std::ptrdiff_t{channels_} * columns_, out);
    if (padded_->width > columns_)
      std::copy_n(in + std::ptrdiff_t{channels_} * (columns_ - 1), channels_,
                  out + std::ptrdiff_t{channels_} * columns_);
  }
  // The encoder may still read the one before.
  check(av_frame_make_writable(frame_.get()) >= 0, ErrorCode::kOutOfMemory,
        "no memory for a frame of {}x{}", columns_, rows_);
  sws_scale(scaler_.get(), padded_->data, padded_->linesize, 0, padded_->height, frame_->data,
            frame_->linesize);
  return *frame_;
}

}  // namespace vostrack::video
