#include "video/yuv420.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core/hal/hal.hpp>

namespace vostrack::video {
namespace {

#define VOSTRACK_INLINE inline __attribute__((always_inline))

/// The filter at a quarter of a sample from the second of four, in steps of 1/32768.
constexpr std::array<std::int16_t, 4> kFilter = {-2765, 28570, 7885, -922};
/// Samples beyond the ends of a chroma row that the filter reaches.
constexpr int kMargin = 2;

/// a·b/32768, rounded: what processors have an instruction for.
VOSTRACK_INLINE std::int16_t times(std::int16_t a, std::int16_t b) {
  return static_cast<std::int16_t>(((a * b >> 14) + 1) >> 1);
}

VOSTRACK_INLINE std::int16_t filtered(std::int16_t a, std::int16_t b, std::int16_t c,
                                      std::int16_t d) {
  return static_cast<std::int16_t>(times(a, kFilter[0]) + times(b, kFilter[1]) +
                                   times(c, kFilter[2]) + times(d, kFilter[3]));
}

VOSTRACK_INLINE std::int16_t signed_chroma(std::uint8_t sample) {
  return static_cast<std::int16_t>((sample - 128) * 128);
}

VOSTRACK_INLINE std::uint8_t byte_of(int sixteenths) {
  return static_cast<std::uint8_t>(std::clamp((sixteenths + 8) >> 4, 0, 255));
}

/// One row between four, from 128 times chroma to the same.
VOSTRACK_INLINE void blend(const std::array<const std::uint8_t*, 4>& rows, int count,
                           std::int16_t* __restrict out) {
  const std::uint8_t *a = rows[0], *b = rows[1], *c = rows[2], *d = rows[3];
  for (int i = 0; i < count; ++i)
    out[i] = filtered(signed_chroma(a[i]), signed_chroma(b[i]), signed_chroma(c[i]),
                      signed_chroma(d[i]));
}

/// @param in  `count` samples, and kMargin more at each end
VOSTRACK_INLINE void widen(const std::int16_t* __restrict in, int count,
                           std::int16_t* __restrict out) {
  for (int i = 0; i < count; ++i) {
    out[2 * i] = filtered(in[i + 1], in[i], in[i - 1], in[i - 2]);
    out[2 * i + 1] = filtered(in[i - 1], in[i], in[i + 1], in[i + 2]);
  }
}

VOSTRACK_INLINE void to_rgb(const Yuv420Converter::Factors& f, const std::uint8_t* __restrict luma,
                            const std::int16_t* __restrict u, const std::int16_t* __restrict v,
                            int width, std::uint8_t* __restrict red, std::uint8_t* __restrict green,
                            std::uint8_t* __restrict blue) {
  for (int x = 0; x < width; ++x) {
    const std::int16_t y = times(static_cast<std::int16_t>((luma[x] - f.black) * 128), f.y);
    red[x] = byte_of(static_cast<std::int16_t>(y + times(v[x], f.red_v)));
    green[x] =
        byte_of(static_cast<std::int16_t>(y - times(u[x], f.green_u) - times(v[x], f.green_v)));
    blue[x] = byte_of(static_cast<std::int16_t>(y + times(u[x], f.blue_u)));
  }
}

struct Row {
  const Yuv420Converter::Factors& factors;
  const std::uint8_t* luma;
  std::array<std::array<const std::uint8_t*, 4>, 2> chroma;
  int width;
  std::array<std::int16_t*, 2> blended;
  std::array<std::int16_t*, 2> widened;
  std::array<std::uint8_t*, 3> planes;
};

VOSTRACK_INLINE void convert_any(const Row& row) {
  const int count = (row.width + 1) / 2;
  for (int c = 0; c < 2; ++c) {
    std::int16_t* samples = row.blended[c] + kMargin;
    blend(row.chroma[c], count, samples);
    for (int i = 1; i <= kMargin; ++i) {
      samples[-i] = samples[0];
      samples[count - 1 + i] = samples[count - 1];
    }
    widen(samples, count, row.widened[c]);
  }
  to_rgb(row.factors, row.luma, row.widened[0], row.widened[1], row.width, row.planes[0],
         row.planes[1], row.planes[2]);
}

void convert_plainly(const Row& row) {
  convert_any(row);
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) void convert_wide(const Row& row) {
  convert_any(row);
}
bool have_wide() {
  static const bool have = __builtin_cpu_supports("avx2");
  return have;
}
#else
void convert_wide(const Row& row) {
  convert_any(row);
}
bool have_wide() {
  return false;
}
#endif

/// An eighth of a factor of swscale's, which has 16 bits behind the point.
std::int16_t eighth(double factor) {
  return static_cast<std::int16_t>(std::lround(factor / 65536 / 8 * 32768));
}

}  // namespace

bool Yuv420Converter::takes(const AVFrame& frame) {
  const int format = frame.format;
  return frame.width % 2 == 0 && frame.height % 2 == 0 &&
         (format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P ||
          format == AV_PIX_FMT_NV12);
}

Yuv420Converter::Yuv420Converter(int width, const int* matrix, bool full_range) : width_(width) {
  // The matrix is for chroma of the limited range, Y not included.
  const double chroma = full_range ? 224. / 255 : 1;
  factors_.y = eighth(65536 * (full_range ? 1 : 255. / 219));
  factors_.red_v = eighth(matrix[0] * chroma);
  factors_.blue_u = eighth(matrix[1] * chroma);
  factors_.green_u = eighth(matrix[2] * chroma);
  factors_.green_v = eighth(matrix[3] * chroma);
  factors_.black = full_range ? 0 : 16;
  const auto half = static_cast<std::size_t>((width + 1) / 2);
  for (auto& row : blended_) row.resize(half + 2 * kMargin);
  for (auto& row : widened_) row.resize(2 * half);
  for (auto& row : planes_) row.resize(static_cast<std::size_t>(width));
}

void Yuv420Converter::start(const AVFrame& frame) {
  frame_ = &frame;
  if (frame.format != AV_PIX_FMT_NV12) {
    for (int c : {0, 1}) chroma_[c] = {frame.data[c + 1], frame.linesize[c + 1]};
    return;
  }
  const int count = (width_ + 1) / 2, rows = (frame.height + 1) / 2;
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
  Row row{factors_,
          frame_->data[0] + std::ptrdiff_t{y} * frame_->linesize[0],
          {},
          width_,
          {blended_[0].data(), blended_[1].data()},
          {widened_[0].data(), widened_[1].data()},
          {planes_[0].data(), planes_[1].data(), planes_[2].data()}};
  // An even row lies a quarter above its chroma row, an odd one a quarter below.
  const int last = (frame_->height + 1) / 2 - 1, nearest = y / 2, down = y % 2 == 0 ? -1 : 1;
  for (int c : {0, 1})
    for (int i = 0; i < 4; ++i)
      row.chroma[c][i] =
          chroma_[c].data + std::clamp(nearest + (i - 1) * down, 0, last) * chroma_[c].stride;
  if (have_wide())
    convert_wide(row);
  else
    convert_plainly(row);
  const std::uint8_t* planes[] = {row.planes[0], row.planes[1], row.planes[2]};
  cv::hal::merge8u(planes, rgb, width_, 3);
}

}  // namespace vostrack::video
