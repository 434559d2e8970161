/// Vectors of the compiler's, for files that are compiled for one kind of processor. Such a file
/// defines VOSTRACK_LANES, the floats in a vector.
///
/// Everything is in an unnamed namespace and nothing but the C library is used: an inline function
/// that the linker took from such a file would run on processors that lack its instructions.
#pragma once

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>

namespace vostrack::nn {
namespace {

constexpr int kLanes = VOSTRACK_LANES;

using Vec = float __attribute__((vector_size(kLanes * sizeof(float))));
using IntVec = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

using BitVec = std::uint32_t __attribute__((vector_size(kLanes * sizeof(std::uint32_t))));
using HalfVec = std::uint16_t __attribute__((vector_size(kLanes * sizeof(std::uint16_t))));

inline Vec load(const float* from) {
  Vec v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
inline void store(float* to, Vec v) {
  std::memcpy(to, &v, sizeof v);
}
inline Vec splat(float value) {
  return value - Vec{};  // + would turn −0 into 0, and so cost an instruction
}

/// Lane i of the result is lane i ^ kBit.
template <int kBit>
inline Vec swapped(Vec v) {
  IntVec order;
  for (int lane = 0; lane < kLanes; ++lane) order[lane] = lane ^ kBit;
  return __builtin_shuffle(v, order);
}

/// Rounded to bfloat16, to the nearest and then to even, in the upper halves; the lower are noise.
inline BitVec rounded_bits(Vec x) {
  BitVec bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits + 0x7FFFU + ((bits >> 16) & 1U);
}

/// bfloat16 numbers, as their bits.
inline Vec load(const std::uint16_t* from) {
  HalfVec half;
  std::memcpy(&half, from, sizeof half);
  const BitVec bits = __builtin_convertvector(half, BitVec) << 16;
  Vec v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}
inline void store(std::uint16_t* to, Vec v) {
  const HalfVec half = __builtin_convertvector(rounded_bits(v) >> 16, HalfVec);
  std::memcpy(to, &half, sizeof half);
}

/// 2^x for x ≤ 0 from 2^f on [−1/2, 1/2]; not a number stays so.
template <class Power>
inline Vec exp2_from(Vec x, const Power& power) {
#ifdef __AVX512F__  // with kLanes of 16
  const Vec whole = _mm512_maskz_roundscale_ps(0xFFFF, x, 0);
  return _mm512_maskz_scalef_ps(0xFFFF, power(x - whole), whole);
#else
  x = x < -126.0F ? splat(-126.0F) : x;
  const Vec round = splat(12582912.0F);  // 1.5 · 2^23: adding it leaves no fraction
  const Vec whole = (x + round) - round;
  const IntVec exponent = (__builtin_convertvector(whole, IntVec) + 127) << 23;
  Vec scale;
  std::memcpy(&scale, &exponent, sizeof scale);
  return power(x - whole) * scale;
#endif
}

/// 2^x for x ≤ 0, to 1e-7, by a minimax polynomial.
inline Vec exp2(Vec x) {
  return exp2_from(x, [](Vec f) {
    Vec p = splat(1.32764724e-3F);
    p = p * f + 9.67554096e-3F;
    p = p * f + 5.55071309e-2F;
    p = p * f + 2.40221202e-1F;
    p = p * f + 6.93146944e-1F;
    return p * f + 1.00000012F;
  });
}

/// The same to 8e-5, a fiftieth of the step between two numbers of bfloat16.
inline Vec exp2_rough(Vec x) {
  return exp2_from(x, [](Vec f) {
    Vec p = splat(5.5171568e-2F);
    p = p * f + 2.4261111e-1F;
    p = p * f + 6.9326100e-1F;
    return p * f + 9.9992806e-1F;
  });
}

}  // namespace
}  // namespace vostrack::nn
