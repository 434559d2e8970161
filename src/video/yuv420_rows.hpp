/// The arithmetic behind Yuv420Converter: one row of pixels.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "video/yuv420.hpp"

namespace vostrack::video {

/// The filter at a quarter of a sample from the second of four, in steps of 1/32768.
inline constexpr std::array<std::int16_t, 4> kChromaFilter = {-2765, 28570, 7885, -922};
/// Samples beyond the ends of a chroma row that the filter reaches.
inline constexpr int kChromaMargin = 2;

/// A row of pixels and what it is made of.
struct Yuv420Row {
  const Yuv420Converter::Factors& factors;
  const std::uint8_t* luma;
  /// For U and V the four chroma rows of the filter.
  std::array<std::array<const std::uint8_t*, 4>, 2> chroma;
  int chroma_width;                      ///< half of the row's
  std::array<std::int16_t*, 2> blended;  ///< scratch for U and V, with kChromaMargin at each end
  std::uint8_t* rgb;
};

/// a·b/32768, rounded: what processors have an instruction for.
inline std::int16_t times(std::int16_t a, std::int16_t b) {
  return static_cast<std::int16_t>(((a * b >> 14) + 1) >> 1);
}

inline std::int16_t filtered(std::int16_t a, std::int16_t b, std::int16_t c, std::int16_t d) {
  return static_cast<std::int16_t>(times(a, kChromaFilter[0]) + times(b, kChromaFilter[1]) +
                                   times(c, kChromaFilter[2]) + times(d, kChromaFilter[3]));
}

inline std::int16_t signed_chroma(std::uint8_t sample) {
  return static_cast<std::int16_t>((sample - 128) * 128);
}

inline std::uint8_t byte_of(int sixteenths) {
  return static_cast<std::uint8_t>(std::clamp((sixteenths + 8) >> 4, 0, 255));
}

/// One row between four, samples [first, count): 128 times the signed chroma.
inline void blend_chroma(const std::array<const std::uint8_t*, 4>& rows, int first, int count,
                         std::int16_t* out) {
  for (int i = first; i < count; ++i)
    out[i] = filtered(signed_chroma(rows[0][i]), signed_chroma(rows[1][i]),
                      signed_chroma(rows[2][i]), signed_chroma(rows[3][i]));
}

/// Two pixels' chroma from each of `count` samples.
inline void widen_chroma(const std::int16_t* in, int count, std::int16_t* out) {
  for (int i = 0; i < count; ++i) {
    out[2 * i] = filtered(in[i + 1], in[i], in[i - 1], in[i - 2]);
    out[2 * i + 1] = filtered(in[i - 1], in[i], in[i + 1], in[i + 2]);
  }
}

/// `count` pixels from what belongs to each.
inline void mix(const Yuv420Converter::Factors& f, const std::uint8_t* luma, const std::int16_t* u,
                const std::int16_t* v, int count, std::uint8_t* rgb) {
  for (int x = 0; x < count; ++x) {
    const int y = times(static_cast<std::int16_t>((luma[x] - f.black) * 128), f.y);
    rgb[3 * x] = byte_of(y + times(v[x], f.red_v));
    rgb[3 * x + 1] = byte_of(y - times(u[x], f.green_u) - times(v[x], f.green_v));
    rgb[3 * x + 2] = byte_of(y + times(u[x], f.blue_u));
  }
}

/// The pixels of the blended chroma samples [first, row.chroma_width).
inline void widen_and_mix(const Yuv420Row& row, int first) {
  constexpr int kBlock = 64;
  std::array<std::int16_t, 2 * kBlock> u, v;
  for (int i = first; i < row.chroma_width; i += kBlock) {
    const int count = std::min(kBlock, row.chroma_width - i);
    widen_chroma(row.blended[0] + i, count, u.data());
    widen_chroma(row.blended[1] + i, count, v.data());
    mix(row.factors, row.luma + 2 * i, u.data(), v.data(), 2 * count, row.rgb + 6 * i);
  }
}

/// Gives the ends of a row to the filter.
inline void extend(std::int16_t* samples, int count) {
  for (int i = 1; i <= kChromaMargin; ++i) {
    samples[-i] = samples[0];
    samples[count - 1 + i] = samples[count - 1];
  }
}

void convert_row_plainly(const Yuv420Row& row);

/// The same bytes with AVX2, which the processor must have.
void convert_row_avx2(const Yuv420Row& row);
bool have_avx2();

}  // namespace vostrack::video
