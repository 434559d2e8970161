/// Matrix products on 8-bit numbers (int8_linear.hpp), for processors with AVX-512 VNNI. Plain
/// pointers only, so that the file can be compiled for its processor without a line of LibTorch's
/// headers in it.
///
/// Numbers are float or bfloat16, the latter as their bits.
#pragma once

#include <cstdint>

namespace vostrack::nn {

/// Columns of a weight that lie together.
constexpr int kInt8Panel = 64;
/// Neighbouring numbers of a row that one instruction multiplies.
constexpr int kInt8Quad = 4;
/// Steps below this are taken for zero: their inverse must be a float.
constexpr float kInt8Least = 1e-30F;

/// Rows as x ≈ scale · (q − zero), 0 ≤ q ≤ 255, with a scale and a zero of each row's own.
struct Int8Rows {
  std::uint8_t* data;  ///< `row` bytes from one to the next
  std::int64_t row;    ///< a multiple of kInt8Quad
  float* scale;
  std::int32_t* zero;
};

/// The columns of a weight as w ≈ scale · q, −127 ≤ q ≤ 127, for (rows, inner) · (inner, columns).
struct Int8Columns {
  /// (panels, inner / kInt8Quad, kInt8Panel, kInt8Quad)
  const std::int8_t* data;
  const float *scale, *bias;  ///< (columns)
  const std::int32_t* sum;    ///< (columns) of q
  std::int64_t inner;         ///< a multiple of kInt8Quad
  std::int64_t columns;       ///< a multiple of 16
};

enum class Int8Then { kNothing, kRelu, kGelu };

/// @param x  (rows, channels), rows `x_row` numbers apart; finite
/// @param channels  a multiple of 16
void quantise_rows_avx512_vnni(const float* x, std::int64_t x_row, std::int64_t rows,
                               std::int64_t channels, const Int8Rows& out);
void quantise_rows_avx512_vnni(const std::uint16_t* x, std::int64_t x_row, std::int64_t rows,
                               std::int64_t channels, const Int8Rows& out);

/// out = then(x · w + bias), GELU to 1e-4.
///
/// @param x  `rows` of them
/// @param out  (rows, columns), rows `out_row` numbers apart
void multiply_int8_avx512_vnni(std::int64_t rows, const Int8Rows& x, const Int8Columns& w,
                               Int8Then then, float* out, std::int64_t out_row);
void multiply_int8_avx512_vnni(std::int64_t rows, const Int8Rows& x, const Int8Columns& w,
                               Int8Then then, std::uint16_t* out, std::int64_t out_row);

}  // namespace vostrack::nn
