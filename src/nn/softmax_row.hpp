/// The one text of all softmax rows of matrix_kernel.hpp.
///
/// As in vectors.hpp, everything is in an unnamed namespace.
#pragma once

namespace vostrack::nn {
namespace {

/// @param power  of two
/// @param put  takes an index and the weights from there on
template <class Power, class Put>
float weigh(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
            const Power& power, const Put& put) {
  Vec largest = splat(-1e30F);
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const Vec score = load(scores + i);
    largest = largest > score ? largest : score;
  }
  float top = largest[0];
  for (int lane = 1; lane < kLanes; ++lane) top = top > largest[lane] ? top : largest[lane];
  top *= scale;
  top = top > row.largest ? top : row.largest;
  Vec sum = {};
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const Vec weight = power(load(scores + i) * scale - top);
    sum += weight;
    put(i, weight);
  }
  float powers = 0;
  for (int lane = 0; lane < kLanes; ++lane) powers += sum[lane];
  const float shrink = power(splat(row.largest - top))[0];
  row.powers = row.powers * shrink + powers;
  row.largest = top;
  return shrink;
}

}  // namespace
}  // namespace vostrack::nn
