#include "nn/tiled_kernel.hpp"

#define VOSTRACK_LANES 16
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

using HalfVec = std::uint16_t __attribute__((vector_size(kLanes * sizeof(std::uint16_t))));
using BitVec = std::uint32_t __attribute__((vector_size(kLanes * sizeof(std::uint32_t))));

/// Rounded to bfloat16, to the nearest and then to even, in the upper halves; the lower are noise.
inline BitVec rounded(Vec x) {
  BitVec bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits + 0x7FFFU + ((bits >> 16) & 1U);
}

inline void turn(Vec even, Vec odd, Vec cos, Vec sin, std::uint32_t* out) {
  const BitVec pair =
      (rounded(even * cos - odd * sin) >> 16) | (rounded(even * sin + odd * cos) & 0xFFFF0000U);
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

float weigh_row_avx512(const float* scores, int count, SoftmaxRow& row, std::uint16_t* weights) {
  Vec largest = splat(row.largest), other = largest;
  for (int i = 0; i < count; i += 2 * kLanes) {
    const Vec a = load(scores + i), b = load(scores + i + kLanes);
    largest = largest > a ? largest : a;
    other = other > b ? other : b;
  }
  largest = largest > other ? largest : other;
  float top = largest[0];
  for (int lane = 1; lane < kLanes; ++lane) top = top > largest[lane] ? top : largest[lane];

  Vec sum = {}, other_sum = {};
  const auto weigh = [&](int i, Vec& total) {
    const Vec power = exp2(load(scores + i) - top);
    total += power;
    const HalfVec half = __builtin_convertvector(rounded(power) >> 16, HalfVec);
    std::memcpy(weights + i, &half, sizeof half);
  };
  for (int i = 0; i < count; i += 2 * kLanes) {
    weigh(i, sum);
    weigh(i + kLanes, other_sum);
  }
  sum += other_sum;
  float powers = 0;
  for (int lane = 0; lane < kLanes; ++lane) powers += sum[lane];
  const float shrink = exp2(splat(row.largest - top))[0];
  row.powers = row.powers * shrink + powers;
  row.largest = top;
  return shrink;
}

}  // namespace vostrack::nn
