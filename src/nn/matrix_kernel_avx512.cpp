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

template <class Out>
void scale(const float* in, std::int64_t count, float factor, Out* out) {
  for (std::int64_t i = 0; i < count; i += kLanes) store(out + i, load(in + i) * factor);
}

}  // namespace
}  // namespace vostrack::nn

#include "nn/matrix_kernel_body.hpp"
#include "nn/softmax_row.hpp"

namespace vostrack::nn {

void multiply_avx512(std::int64_t rows, std::int64_t columns, std::int64_t inner, const float* a,
                     std::int64_t a_row, const Panels<float>& b, float* out, std::int64_t out_row,
                     bool add) {
  multiply(rows, columns, inner, a, a_row, b, out, out_row, add);
}

float weigh_row_avx512(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                       float* weights) {
  return weigh(scores, count, scale, row, exp2,
               [weights](std::int64_t i, Vec v) { store(weights + i, v); });
}

void scale_row_avx512(const float* in, std::int64_t count, float factor, float* out) {
  scale(in, count, factor, out);
}
void scale_row_avx512(const float* in, std::int64_t count, float factor, std::uint16_t* out) {
  scale(in, count, factor, out);
}

}  // namespace vostrack::nn
