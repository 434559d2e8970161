/// The one text of all variants of norm_kernel.hpp. A variant's file defines VOSTRACK_LANES,
/// includes this once and is compiled for its processor.
///
/// As in vectors.hpp, everything is in an unnamed namespace.
#pragma once

#include <immintrin.h>

#include "nn/norm_kernel.hpp"
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

/// In each lane the sum over its group of kGroup neighbours.
template <int kGroup>
inline Vec group_sum(Vec v) {
  if constexpr (kGroup > 1) v += swapped<1>(v);
  if constexpr (kGroup > 2) v += swapped<2>(v);
  if constexpr (kGroup > 4) v += swapped<4>(v);
  if constexpr (kGroup > 8) v += swapped<8>(v);
  return v;
}

inline Vec root(Vec v) {
#ifdef __AVX512F__
  return _mm512_maskz_sqrt_ps(0xFFFF, v);  // the plain one is warned about
#else
  return _mm256_sqrt_ps(v);
#endif
}

/// x Φ(x), by an approximation of 1 − erf(|x| / √2).
///
/// Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26
inline Vec gelu_of(Vec x) {
  const Vec size = x < 0.0F ? -x : x;
  const Vec t = 1.0F / (size * (0.3275911F * 0.70710678F) + 1.0F);
  Vec p = splat(1.061405429F);
  p = p * t - 1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t - 0.284496736F;
  p = p * t + 0.254829592F;
  const Vec tail = p * t * exp2(x * x * -0.72134752F) * 0.5F;  // 1 − Φ(|x|)
  return x * (x < 0.0F ? tail : 1.0F - tail);
}

/// Rows of kGroup channels, as many as a vector holds at a time.
template <int kGroup, class Element>
void norm_narrow(const Element* x, std::int64_t count, const float* weight, const float* bias,
                 float eps, bool gelu, Element* out) {
  Vec w, b;
  for (int lane = 0; lane < kLanes; ++lane) {
    w[lane] = weight[lane % kGroup];
    b[lane] = bias[lane % kGroup];
  }
  constexpr float kShare = 1.0F / kGroup;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    Vec v = load(x + i);
    v -= group_sum<kGroup>(v) * kShare;
    const Vec variance = group_sum<kGroup>(v * v) * kShare;
    v = v / root(variance + eps) * w + b;
    store(out + i, gelu ? gelu_of(v) : v);
  }
}

template <class Element>
void norm_wide(const Element* x, std::int64_t rows, std::int64_t channels, const float* weight,
               const float* bias, float eps, bool gelu, Element* out) {
  const float share = 1.0F / static_cast<float>(channels);
  for (; rows > 0; --rows, x += channels, out += channels) {
    Vec sum = {}, squares = {};
    for (std::int64_t i = 0; i < channels; i += kLanes) sum += load(x + i);
    const Vec mean = group_sum<kLanes>(sum) * share;
    for (std::int64_t i = 0; i < channels; i += kLanes) {
      const Vec v = load(x + i) - mean;
      squares += v * v;
    }
    const Vec scale = 1.0F / root(group_sum<kLanes>(squares) * share + eps);
    for (std::int64_t i = 0; i < channels; i += kLanes) {
      const Vec v = (load(x + i) - mean) * scale * load(weight + i) + load(bias + i);
      store(out + i, gelu ? gelu_of(v) : v);
    }
  }
}

template <class Element>
void norm_rows(const Element* x, std::int64_t rows, std::int64_t channels, const float* weight,
               const float* bias, float eps, bool gelu, Element* out) {
  const std::int64_t count = rows * channels;
  switch (channels) {
    case 1:
      return norm_narrow<1>(x, count, weight, bias, eps, gelu, out);
    case 2:
      return norm_narrow<2>(x, count, weight, bias, eps, gelu, out);
    case 4:
      return norm_narrow<4>(x, count, weight, bias, eps, gelu, out);
    case 8:
      return norm_narrow<8>(x, count, weight, bias, eps, gelu, out);
    case 16:
      if constexpr (kLanes == 16)
        return norm_narrow<16>(x, count, weight, bias, eps, gelu, out);
      [[fallthrough]];
    default:
      return norm_wide(x, rows, channels, weight, bias, eps, gelu, out);
  }
}

void gelu(const float* x, std::int64_t count, float* out) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(out + i, gelu_of(load(x + i)));
  if (i == count) return;
  float rest[kLanes] = {};
  const auto size = static_cast<std::size_t>(count - i) * sizeof(float);
  std::memcpy(rest, x + i, size);
  store(rest, gelu_of(load(rest)));
  std::memcpy(out + i, rest, size);
}

constexpr NormKernels norm_kernels(const char* name) {
  return {name, norm_rows<float>, norm_rows<std::uint16_t>, gelu};
}

}  // namespace
}  // namespace vostrack::nn
