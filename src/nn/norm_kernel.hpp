/// Layer norm over neighbouring numbers, with GELU behind it, for processors with AVX-512. Plain
/// pointers only, so that the file can be compiled for its processor without a line of LibTorch's
/// headers in it. bfloat16 numbers are their bits.
#pragma once

#include <cstdint>

namespace vostrack::nn {

/// How many channels norm_rows_avx512 takes: powers of two up to 16, and multiples of 16.
constexpr bool takes_channels(std::int64_t channels) {
  return channels >= 16 ? channels % 16 == 0 : channels > 0 && (channels & (channels - 1)) == 0;
}

/// Normalises each row; the variance is that of all its channels.
///
/// @param x  (rows, channels); `rows · channels` is a multiple of 16
/// @param weight, bias  (channels)
/// @param gelu  whether the exact GELU follows, to 2e-7
/// @param out  as x, may be x
void norm_rows_avx512(const float* x, std::int64_t rows, std::int64_t channels, const float* weight,
                      const float* bias, float eps, bool gelu, float* out);
/// The same, computed in float32 and rounded at the end.
void norm_rows_avx512(const std::uint16_t* x, std::int64_t rows, std::int64_t channels,
                      const float* weight, const float* bias, float eps, bool gelu,
                      std::uint16_t* out);

}  // namespace vostrack::nn
