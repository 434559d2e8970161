/// The one text of all float32 variants of matrix_kernel.hpp. A variant's file defines
/// VOSTRACK_LANES, includes this once and is compiled for its processor.
///
/// As in vectors.hpp, everything is in an unnamed namespace.
#pragma once

#include "nn/matrix_kernel.hpp"
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

}  // namespace
}  // namespace vostrack::nn

#include "nn/matrix_kernel_body.hpp"
#include "nn/softmax_row.hpp"

namespace vostrack::nn {
namespace {

float weigh_row(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                float* weights) {
  return weigh(scores, count, scale, row, exp2,
               [weights](std::int64_t i, Vec v) { store(weights + i, v); });
}

constexpr MatrixKernels<float> matrix_kernels(const char* name) {
  return {name, kTileColumns, multiply, weigh_row, scale};
}

}  // namespace
}  // namespace vostrack::nn
