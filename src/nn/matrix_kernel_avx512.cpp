#include "nn/matrix_kernel.hpp"

#define VOSTRACK_LANES 16
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

struct Arithmetic {
  using Element = float;
  using Wide = Vec;
  static constexpr int kElements = 1;
  static Vec load(const float* from) { return nn::load(from); }
  static Vec broadcast(const float* from) { return splat(*from); }
  static Vec add_product(Vec sum, Vec a, Vec b) { return sum + a * b; }
};

using HalfVec = std::uint16_t __attribute__((vector_size(kLanes * sizeof(std::uint16_t))));

inline void put(float* to, Vec v) {
  store(to, v);
}
/// Rounded to bfloat16, to the nearest and then to even.
inline void put(std::uint16_t* to, Vec v) {
  const HalfVec half = __builtin_convertvector(rounded_bits(v) >> 16, HalfVec);
  std::memcpy(to, &half, sizeof half);
}
template <class Out>
float weigh(const float* scores, std::int64_t count, float scale, SoftmaxRow& row, Out* weights) {
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
    const Vec power = exp2(load(scores + i) * scale - top);
    sum += power;
    put(weights + i, power);
  }
  float powers = 0;
  for (int lane = 0; lane < kLanes; ++lane) powers += sum[lane];
  const float shrink = exp2(splat(row.largest - top))[0];
  row.powers = row.powers * shrink + powers;
  row.largest = top;
  return shrink;
}

template <class Out>
void scale(const float* in, std::int64_t count, float factor, Out* out) {
  for (std::int64_t i = 0; i < count; i += kLanes) put(out + i, load(in + i) * factor);
}

}  // namespace
}  // namespace vostrack::nn

#include "nn/matrix_kernel_body.hpp"

namespace vostrack::nn {

void multiply_avx512(std::int64_t rows, std::int64_t columns, std::int64_t inner, const float* a,
                     std::int64_t a_row, const Panels<float>& b, float* out, std::int64_t out_row,
                     bool add) {
  multiply(rows, columns, inner, a, a_row, b, out, out_row, add);
}

float weigh_row_avx512(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                       float* weights) {
  return weigh(scores, count, scale, row, weights);
}
float weigh_row_avx512(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                       std::uint16_t* weights) {
  return weigh(scores, count, scale, row, weights);
}

void scale_row_avx512(const float* in, std::int64_t count, float factor, float* out) {
  scale(in, count, factor, out);
}
void scale_row_avx512(const float* in, std::int64_t count, float factor, std::uint16_t* out) {
  scale(in, count, factor, out);
}

}  // namespace vostrack::nn
