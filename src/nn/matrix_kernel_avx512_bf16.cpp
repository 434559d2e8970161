#include <immintrin.h>

#include "nn/matrix_kernel.hpp"

#define VOSTRACK_LANES 16
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

struct Arithmetic {
  using Element = std::uint16_t;
  using Wide = __m512bh;
  static constexpr int kElements = 2;
  static Wide load(const Element* from) {
    Wide v;
    std::memcpy(&v, from, sizeof v);
    return v;
  }
  static Wide broadcast(const Element* from) {
    std::int32_t pair;
    std::memcpy(&pair, from, sizeof pair);
    return reinterpret_cast<Wide>(_mm512_set1_epi32(pair));
  }
  static Vec add_product(Vec sum, Wide a, Wide b) { return _mm512_dpbf16_ps(sum, a, b); }
};

}  // namespace
}  // namespace vostrack::nn

#include "nn/matrix_kernel_body.hpp"
#include "nn/softmax_row.hpp"

namespace vostrack::nn {
namespace {

float weigh_row(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                std::uint16_t* weights) {
  return weigh(scores, count, scale, row, exp2_rough, [weights](std::int64_t i, Vec v) {
    const __m256bh half = _mm512_maskz_cvtneps_pbh(0xFFFF, v);
    std::memcpy(weights + i, &half, sizeof half);
  });
}

}  // namespace

constinit const MatrixKernels<std::uint16_t> kMatrixAvx512Bf16 = {
    "avx512_bf16", kTileColumns, multiply, weigh_row, scale};

}  // namespace vostrack::nn
