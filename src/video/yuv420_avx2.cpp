#include "video/yuv420_rows.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define VOSTRACK_AVX2 __attribute__((target("avx2")))

namespace vostrack::video {
namespace {

VOSTRACK_AVX2 inline __m256i load(const std::int16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

VOSTRACK_AVX2 inline void store(std::int16_t* to, __m256i value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), value);
}

/// 16 samples, 128 times the signed chroma.
VOSTRACK_AVX2 inline __m256i load_chroma(const std::uint8_t* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m256i middle = _mm256_set1_epi16(128);
  return _mm256_slli_epi16(_mm256_sub_epi16(_mm256_cvtepu8_epi16(bytes), middle), 7);
}

VOSTRACK_AVX2 inline __m256i weighted(__m256i value, int tap) {
  return _mm256_mulhrs_epi16(value, _mm256_set1_epi16(kChromaFilter[tap]));
}

VOSTRACK_AVX2 inline __m256i filtered(__m256i a, __m256i b, __m256i c, __m256i d) {
  return _mm256_add_epi16(_mm256_add_epi16(weighted(a, 0), weighted(b, 1)),
                          _mm256_add_epi16(weighted(c, 2), weighted(d, 3)));
}

VOSTRACK_AVX2 void blend(const std::array<const std::uint8_t*, 4>& rows, int count,
                         std::int16_t* out) {
  int i = 0;
  for (; i + 16 <= count; i += 16)
    store(out + i, filtered(load_chroma(rows[0] + i), load_chroma(rows[1] + i),
                            load_chroma(rows[2] + i), load_chroma(rows[3] + i)));
  blend_chroma(rows, i, count, out);
}

struct Vectors {
  __m256i low, high;
};

/// Two pixels from each of 16 samples. As with all that follows, of 32 pixels `low` has the first
/// and the third eight, `high` the second and the fourth: so they come when samples are
/// interleaved, and so they go when they are packed into bytes.
VOSTRACK_AVX2 inline Vectors widened(const std::int16_t* in) {
  const __m256i a = load(in - 2), b = load(in - 1), c = load(in), d = load(in + 1);
  const __m256i e = load(in + 2);
  const __m256i even = filtered(d, c, b, a), odd = filtered(b, c, d, e);
  return {_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd)};
}

VOSTRACK_AVX2 inline __m256i scaled(__m256i value, std::int16_t factor) {
  return _mm256_mulhrs_epi16(value, _mm256_set1_epi16(factor));
}

/// 16 times the grey of pixels, and half of one for rounding, from 256 times their Y.
VOSTRACK_AVX2 inline __m256i grey(__m256i luma, const Yuv420Converter::Factors& f) {
  const __m256i above_black =
      _mm256_sub_epi16(_mm256_srli_epi16(luma, 1), _mm256_set1_epi16(f.black * 128));
  return _mm256_add_epi16(scaled(above_black, f.y), _mm256_set1_epi16(8));
}

VOSTRACK_AVX2 inline __m256i green_of(__m256i y, __m256i u, __m256i v,
                                      const Yuv420Converter::Factors& f) {
  return _mm256_sub_epi16(_mm256_sub_epi16(y, scaled(u, f.green_u)), scaled(v, f.green_v));
}

/// The sixteenths' whole parts, 0 to 255.
VOSTRACK_AVX2 inline __m256i bytes_of(__m256i low, __m256i high) {
  return _mm256_packus_epi16(_mm256_srai_epi16(low, 4), _mm256_srai_epi16(high, 4));
}

/// Every third byte, from `first` on: from `b`, the others from `a`.
VOSTRACK_AVX2 inline __m256i every_third(__m256i a, __m256i b, int first) {
  const __m128i from_0 = _mm_setr_epi8(-1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1, 0, 0, -1);
  const __m128i from_1 = _mm_slli_si128(from_0, 1), from_2 = _mm_slli_si128(from_0, 2);
  return _mm256_blendv_epi8(a, b, _mm256_broadcastsi128_si256(first == 1 ? from_1 : from_2));
}

/// 32 pixels, three bytes each.
VOSTRACK_AVX2 inline void store_rgb(std::uint8_t* to, __m256i red, __m256i green, __m256i blue) {
  // Within 16 pixels byte i of the result's three vectors is pixel 11 i + 0, 5 or 10 (modulo 16).
  const __m128i order = _mm_setr_epi8(0, 11, 6, 1, 12, 7, 2, 13, 8, 3, 14, 9, 4, 15, 10, 5);
  const __m256i of_red = _mm256_broadcastsi128_si256(order);
  const __m256i of_green = _mm256_broadcastsi128_si256(_mm_alignr_epi8(order, order, 15));
  const __m256i of_blue = _mm256_broadcastsi128_si256(_mm_alignr_epi8(order, order, 14));
  const __m256i r = _mm256_shuffle_epi8(red, of_red), g = _mm256_shuffle_epi8(green, of_green);
  const __m256i b = _mm256_shuffle_epi8(blue, of_blue);
  const __m256i first = every_third(every_third(r, g, 1), b, 2);
  const __m256i second = every_third(every_third(g, b, 1), r, 2);
  const __m256i third = every_third(every_third(b, r, 1), g, 2);
  auto* out = reinterpret_cast<__m256i*>(to);
  _mm256_storeu_si256(out, _mm256_permute2x128_si256(first, second, 0x20));
  _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(third, first, 0x30));
  _mm256_storeu_si256(out + 2, _mm256_permute2x128_si256(second, third, 0x31));
}

VOSTRACK_AVX2 void widen_and_mix_wide(const Yuv420Row& row) {
  const Yuv420Converter::Factors& f = row.factors;
  int i = 0;
  for (; i + 16 <= row.chroma_width; i += 16) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i luma =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row.luma + 2 * i));
    const Vectors u = widened(row.blended[0] + i), v = widened(row.blended[1] + i);
    const Vectors y = {grey(_mm256_unpacklo_epi8(zero, luma), f),
                       grey(_mm256_unpackhi_epi8(zero, luma), f)};
    store_rgb(row.rgb + std::ptrdiff_t{6} * i,
              bytes_of(_mm256_add_epi16(y.low, scaled(v.low, f.red_v)),
                       _mm256_add_epi16(y.high, scaled(v.high, f.red_v))),
              bytes_of(green_of(y.low, u.low, v.low, f), green_of(y.high, u.high, v.high, f)),
              bytes_of(_mm256_add_epi16(y.low, scaled(u.low, f.blue_u)),
                       _mm256_add_epi16(y.high, scaled(u.high, f.blue_u))));
  }
  widen_and_mix(row, i);
}

}  // namespace

void convert_row_avx2(const Yuv420Row& row) {
  for (int c : {0, 1}) {
    blend(row.chroma[c], row.chroma_width, row.blended[c]);
    extend(row.blended[c], row.chroma_width);
  }
  widen_and_mix_wide(row);
}

bool have_avx2() {
  static const bool have = __builtin_cpu_supports("avx2");
  return have;
}

}  // namespace vostrack::video

#else

namespace vostrack::video {

void convert_row_avx2(const Yuv420Row& row) {
  convert_row_plainly(row);
}
bool have_avx2() {
  return false;
}

}  // namespace vostrack::video

#endif
