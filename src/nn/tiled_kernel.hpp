/// What tiled attention (tiled_attention.hpp) does to keys before its matrix products.
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

}  // namespace vostrack::nn
