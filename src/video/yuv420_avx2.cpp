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

/// 16 bytes, less `zero`, times 128.
VOSTRACK_AVX2 inline __m256i load_bytes(const std::uint8_t* from, __m256i zero) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return _mm256_slli_epi16(_mm256_sub_epi16(_mm256_cvtepu8_epi16(bytes), zero), 7);
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
  const __m256i middle = _mm256_set1_epi16(128);
  int i = 0;
  for (; i + 16 <= count; i += 16)
    store(out + i, filtered(load_bytes(rows[0] + i, middle), load_bytes(rows[1] + i, middle),
                            load_bytes(rows[2] + i, middle), load_bytes(rows[3] + i, middle)));
  blend_chroma(rows, i, count, out);
}

VOSTRACK_AVX2 void widen(const std::int16_t* in, int count, std::int16_t* out) {
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    const __m256i a = load(in + i - 2), b = load(in + i - 1), c = load(in + i);
    const __m256i d = load(in + i + 1), e = load(in + i + 2);
    const __m256i even = filtered(d, c, b, a), odd = filtered(b, c, d, e);
    const __m256i low = _mm256_unpacklo_epi16(even, odd), high = _mm256_unpackhi_epi16(even, odd);
    store(out + 2 * i, _mm256_permute2x128_si256(low, high, 0x20));
    store(out + 2 * i + 16, _mm256_permute2x128_si256(low, high, 0x31));
  }
  widen_chroma(in, i, count, out);
}

VOSTRACK_AVX2 inline __m256i sixteenths_to_ones(__m256i value) {
  return _mm256_srai_epi16(_mm256_add_epi16(value, _mm256_set1_epi16(8)), 4);
}

VOSTRACK_AVX2 inline void store_bytes(std::uint8_t* to, __m256i low, __m256i high) {
  const __m256i packed = _mm256_packus_epi16(sixteenths_to_ones(low), sixteenths_to_ones(high));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permute4x64_epi64(packed, 0xD8));
}

VOSTRACK_AVX2 void mix_all(const Yuv420Row& row) {
  const Yuv420Converter::Factors& f = row.factors;
  const __m256i black = _mm256_set1_epi16(f.black), of_y = _mm256_set1_epi16(f.y);
  const __m256i red_v = _mm256_set1_epi16(f.red_v), green_u = _mm256_set1_epi16(f.green_u);
  const __m256i green_v = _mm256_set1_epi16(f.green_v), blue_u = _mm256_set1_epi16(f.blue_u);
  int x = 0;
  for (; x + 32 <= row.width; x += 32) {
    __m256i red[2], green[2], blue[2];
    for (int half = 0; half < 2; ++half) {
      const int at = x + 16 * half;
      const __m256i y = _mm256_mulhrs_epi16(load_bytes(row.luma + at, black), of_y);
      const __m256i u = load(row.widened[0] + at), v = load(row.widened[1] + at);
      red[half] = _mm256_add_epi16(y, _mm256_mulhrs_epi16(v, red_v));
      green[half] = _mm256_sub_epi16(_mm256_sub_epi16(y, _mm256_mulhrs_epi16(u, green_u)),
                                     _mm256_mulhrs_epi16(v, green_v));
      blue[half] = _mm256_add_epi16(y, _mm256_mulhrs_epi16(u, blue_u));
    }
    store_bytes(row.planes[0] + x, red[0], red[1]);
    store_bytes(row.planes[1] + x, green[0], green[1]);
    store_bytes(row.planes[2] + x, blue[0], blue[1]);
  }
  mix(row, x);
}

}  // namespace

void convert_row_avx2(const Yuv420Row& row) {
  const int count = (row.width + 1) / 2;
  for (int c : {0, 1}) {
    std::int16_t* samples = row.blended[c] + kChromaMargin;
    blend(row.chroma[c], count, samples);
    extend(samples, count);
    widen(samples, count, row.widened[c]);
  }
  mix_all(row);
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
