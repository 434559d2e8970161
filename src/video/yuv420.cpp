#include "video/yuv420.hpp"

#include <algorithm>
#include <cmath>

#include "video/yuv420_rows.hpp"

namespace vostrack::video {
namespace {

/// An eighth of a factor of swscale's, which has 16 bits behind the point.
std::int16_t eighth(double factor) {
  return static_cast<std::int16_t>(std::lround(factor / 65536 / 8 * 32768));
}

}  // namespace

void convert_row_plainly(const Yuv420Row& row) {
  for (int c : {0, 1}) {
    blend_chroma(row.chroma[c], 0, row.chroma_width, row.blended[c]);
    extend(row.blended[c], row.chroma_width);
  }
  widen_and_mix(row, 0);
}

bool Yuv420Converter::takes(const AVFrame& frame) {
  const int format = frame.format;
  return frame.width % 2 == 0 && frame.height % 2 == 0 &&
         (format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P ||
          format == AV_PIX_FMT_NV12);
}

Yuv420Converter::Yuv420Converter(int width, const int* matrix, bool full_range)
    : chroma_width_(width / 2) {
  // The matrix is for chroma of the limited range, Y not included.
  const double chroma = full_range ? 224. / 255 : 1;
  factors_.y = eighth(65536 * (full_range ? 1 : 255. / 219));
  factors_.red_v = eighth(matrix[0] * chroma);
  factors_.blue_u = eighth(matrix[1] * chroma);
  factors_.green_u = eighth(matrix[2] * chroma);
  factors_.green_v = eighth(matrix[3] * chroma);
  factors_.black = full_range ? 0 : 16;
  for (auto& row : blended_) row.resize(chroma_width_ + std::size_t{2} * kChromaMargin);
}

void Yuv420Converter::start(const AVFrame& frame) {
  frame_ = &frame;
  if (frame.format != AV_PIX_FMT_NV12) {
    for (int c : {0, 1}) chroma_[c] = {frame.data[c + 1], frame.linesize[c + 1]};
    return;
  }
  const int count = chroma_width_, rows = frame.height / 2;
  for (int c : {0, 1}) {
    split_[c].resize(static_cast<std::size_t>(count) * rows);
    chroma_[c] = {split_[c].data(), count};
  }
  for (int y = 0; y < rows; ++y) {
    const std::uint8_t* pairs = frame.data[1] + std::ptrdiff_t{y} * frame.linesize[1];
    std::uint8_t* u = split_[0].data() + std::ptrdiff_t{y} * count;
    std::uint8_t* v = split_[1].data() + std::ptrdiff_t{y} * count;
    for (int x = 0; x < count; ++x) u[x] = pairs[2 * x], v[x] = pairs[2 * x + 1];
  }
}

void Yuv420Converter::convert_row(int y, std::uint8_t* rgb) {
  Yuv420Row row{factors_,
                frame_->data[0] + std::ptrdiff_t{y} * frame_->linesize[0],
                {},
                chroma_width_,
                {blended_[0].data() + kChromaMargin, blended_[1].data() + kChromaMargin},
                rgb};
  // An even row lies a quarter above its chroma row, an odd one a quarter below.
  const int last = frame_->height / 2 - 1, nearest = y / 2, down = y % 2 == 0 ? -1 : 1;
  for (int c : {0, 1})
    for (int i = 0; i < 4; ++i)
      row.chroma[c][i] =
          chroma_[c].data + std::clamp(nearest + (i - 1) * down, 0, last) * chroma_[c].stride;
  if (have_avx2())
    convert_row_avx2(row);
  else
    convert_row_plainly(row);
}

}  // namespace vostrack::video
