/// What tiled attention (tiled_attention.hpp) does to keys and values before its matrix products.
#pragma once

#include <cstdint>

namespace vostrack::nn {

/// Adds a bias to two channels of keys, turns them and rounds them to bfloat16.
///
/// @param even, odd  (count) each
/// @param cos, sin  (count) each, or null for keys that are not turned
/// @param out  (count): the even channel in the lower half of each
void turn_keys_avx512(const float* even, const float* odd, float even_bias, float odd_bias,
                      const float* cos, const float* sin, std::int64_t count, std::uint32_t* out);

/// Two channels of values, rounded to bfloat16, and the keys made of them: with their positions and
/// times added, the even channel in the lower half of each.
///
/// @tparam Element  float, or std::uint16_t for the bits of bfloat16
/// @param even, odd  (count) each
/// @param even_pos, odd_pos  (count) each, or null for keys that are the values
/// @param even_time, odd_time  added to positions
/// @param keys, even_values, odd_values  (count) each
template <class Element>
void pack_channels_avx512(const Element* even, const Element* odd, const float* even_pos,
                          const float* odd_pos, float even_time, float odd_time,
                          std::int64_t count, std::uint32_t* keys, std::uint16_t* even_values,
                          std::uint16_t* odd_values);

/// (rows, columns) → (columns, rows); rows a multiple of 16, both contiguous.
void transpose_avx512(const std::uint32_t* from, std::int64_t rows, std::int64_t columns,
                      std::uint32_t* to);

}  // namespace vostrack::nn
