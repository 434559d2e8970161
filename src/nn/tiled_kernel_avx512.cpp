#include "nn/tiled_kernel.hpp"

#define VOSTRACK_LANES 16
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

/// Rounded to bfloat16, the first in the lower halves.
inline void store_pairs(Vec lower, Vec upper, std::uint32_t* out) {
  const BitVec pair = (rounded_bits(lower) >> 16) | (rounded_bits(upper) & 0xFFFF0000U);
  std::memcpy(out, &pair, sizeof pair);
}

inline void turn(Vec even, Vec odd, Vec cos, Vec sin, std::uint32_t* out) {
  store_pairs(even * cos - odd * sin, even * sin + odd * cos, out);
}

/// The first `count` numbers; zeros beyond.
template <class Element>
inline Vec load_part(const Element* from, std::int64_t count) {
  Element part[kLanes] = {};
  std::memcpy(part, from, static_cast<std::size_t>(count) * sizeof(Element));
  return load(part);
}

}  // namespace

void turn_keys_avx512(const float* even, const float* odd, float even_bias, float odd_bias,
                      const float* cos, const float* sin, std::int64_t count, std::uint32_t* out) {
  const Vec one = splat(1.0F), zero = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    turn(load(even + i) + even_bias, load(odd + i) + odd_bias, cos ? load(cos + i) : one,
         cos ? load(sin + i) : zero, out + i);
  if (i == count) return;
  std::uint32_t last[kLanes];
  turn(load_part(even + i, count - i) + even_bias, load_part(odd + i, count - i) + odd_bias,
       cos ? load_part(cos + i, count - i) : one, cos ? load_part(sin + i, count - i) : zero, last);
  std::memcpy(out + i, last, static_cast<std::size_t>(count - i) * sizeof(std::uint32_t));
}

template <class Element>
void pack_channels_avx512(const Element* even, const Element* odd, const float* even_pos,
                          const float* odd_pos, float even_time, float odd_time,
                          std::int64_t count, std::uint32_t* keys, std::uint16_t* even_values,
                          std::uint16_t* odd_values) {
  const auto pack = [&](const auto& load_at, std::int64_t i, std::uint32_t* key,
                        std::uint16_t* even_value, std::uint16_t* odd_value) {
    const Vec lower = load_at(even + i), upper = load_at(odd + i);
    store(even_value, lower);
    store(odd_value, upper);
    if (even_pos)
      store_pairs(lower + (load_at(even_pos + i) + even_time),
                  upper + (load_at(odd_pos + i) + odd_time), key);
    else
      store_pairs(lower, upper, key);
  };
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    pack([](const auto* from) { return load(from); }, i, keys + i, even_values + i, odd_values + i);
  if (i == count) return;
  std::uint32_t key[kLanes];
  std::uint16_t even_value[kLanes], odd_value[kLanes];
  pack([rest = count - i](const auto* from) { return load_part(from, rest); }, i, key, even_value,
       odd_value);
  const auto rest = static_cast<std::size_t>(count - i);
  std::memcpy(keys + i, key, rest * sizeof(std::uint32_t));
  std::memcpy(even_values + i, even_value, rest * sizeof(std::uint16_t));
  std::memcpy(odd_values + i, odd_value, rest * sizeof(std::uint16_t));
}

template void pack_channels_avx512(const float*, const float*, const float*, const float*, float,
                                   float, std::int64_t, std::uint32_t*, std::uint16_t*,
                                   std::uint16_t*);
template void pack_channels_avx512(const std::uint16_t*, const std::uint16_t*, const float*,
                                   const float*, float, float, std::int64_t, std::uint32_t*,
                                   std::uint16_t*, std::uint16_t*);

void transpose_avx512(const std::uint32_t* from, std::int64_t rows, std::int64_t columns,
                      std::uint32_t* to) {
  IntVec lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  __m512i places;
  const IntVec steps = lane * static_cast<std::int32_t>(columns);
  std::memcpy(&places, &steps, sizeof places);
  for (std::int64_t column = 0; column < columns; ++column)
    for (std::int64_t row = 0; row < rows; row += kLanes)
      _mm512_storeu_si512(to + column * rows + row,
                          _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), 0xFFFF, places,
                                                      from + row * columns + column,
                                                      sizeof(std::uint32_t)));
}

}  // namespace vostrack::nn
