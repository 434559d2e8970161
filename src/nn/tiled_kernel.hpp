/// What tiled attention (tiled_attention.hpp) does between matrix products. Processors with matrix
/// tiles have AVX-512 too, so there is one variant.
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

/// A query's softmax so far: its largest score and the sum of powers of two.
struct SoftmaxRow {
  float largest = -1e30F;
  float powers = 0;
};

/// Turns a query's further scores into weights, rounded to bfloat16.
///
/// @param scores  (count), a multiple of 32
/// @return what everything that was summed before is to be multiplied with
float weigh_row_avx512(const float* scores, int count, SoftmaxRow& row, std::uint16_t* weights);

}  // namespace vostrack::nn
