/// Layer norm over neighbouring numbers, with GELU behind it, one variant for each kind of
/// processor. Plain pointers only, so that a variant's file can be compiled for its processor
/// without a line of LibTorch's headers in it. bfloat16 numbers are their bits.
#pragma once

#include <cstdint>

namespace vostrack::nn {

/// How many channels the kernels take: powers of two up to 16, and multiples of 16.
constexpr bool takes_channels(std::int64_t channels) {
  return channels >= 16 ? channels % 16 == 0 : channels > 0 && (channels & (channels - 1)) == 0;
}

/// Normalises each row; the variance is that of all its channels. Computed in float32.
///
/// @param x  (rows, channels); `rows · channels` is a multiple of 16
/// @param weight, bias  (channels)
/// @param gelu  whether the exact GELU follows, to 2e-7
/// @param out  as x, may be x
template <class Element>
using NormRows = void (*)(const Element* x, std::int64_t rows, std::int64_t channels,
                          const float* weight, const float* bias, float eps, bool gelu,
                          Element* out);

struct NormKernels {
  const char* name;
  NormRows<float> float32;
  NormRows<std::uint16_t> bfloat16;
  /// The same GELU of any count of numbers; out may be x.
  void (*gelu)(const float* x, std::int64_t count, float* out);
};

extern const NormKernels kNormAvx2, kNormAvx512;

}  // namespace vostrack::nn
