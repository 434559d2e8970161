#include "nn/tiled_kernel.hpp"

#define VOSTRACK_LANES 16
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

inline void turn(Vec even, Vec odd, Vec cos, Vec sin, std::uint32_t* out) {
  const BitVec pair = (rounded_bits(even * cos - odd * sin) >> 16) |
                      (rounded_bits(even * sin + odd * cos) & 0xFFFF0000U);
  std::memcpy(out, &pair, sizeof pair);
}

/// The first `count` floats; zeros beyond.
inline Vec load_part(const float* from, std::int64_t count) {
  Vec v = {};
  std::memcpy(&v, from, static_cast<std::size_t>(count) * sizeof(float));
  return v;
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

}  // namespace vostrack::nn
