/// Matrix products and softmax rows of blocked attention (dense_attention.hpp), one variant for
/// each kind of processor. Plain pointers only, so that a variant's file can be compiled for its
/// processor without a line of LibTorch's headers in it.
///
/// The second matrix of a product lies in panels of kPanel columns. In bfloat16 two neighbouring
/// rows of it are side by side: a row of the panel holds kPanel pairs. bfloat16 numbers are their
/// bits.
#pragma once

#include <cstdint>

namespace vostrack::nn {

/// Columns that are worked on together.
constexpr int kPanel = 64;

/// A product's second matrix.
template <class Element>
struct Panels {
  const Element* data;
  std::int64_t row;    ///< elements from a row (bfloat16: a pair of rows) to the next
  std::int64_t panel;  ///< elements from a panel to the next
};

/// A query's softmax so far: its largest scaled score and the sum of powers of two.
struct SoftmaxRow {
  float largest = -1e30F;
  float powers = 0;
};

/// In float32.
struct MatrixKernels {
  /// out = a · b, or out += a · b.
  ///
  /// @param a  (rows, inner), rows `a_row` elements apart
  /// @param b  (inner, columns)
  /// @param columns  a multiple of 16; in bfloat16 `inner` is even
  /// @param out  (rows, columns), rows `out_row` apart
  using Multiply = void (*)(std::int64_t rows, std::int64_t columns, std::int64_t inner,
                            const float* a, std::int64_t a_row, const Panels<float>& b, float* out,
                            std::int64_t out_row, bool add);
  /// Turns a query's further scores into weights; those in bfloat16 are rounded.
  ///
  /// @param scores  (count), a multiple of 16
  /// @param scale  of scores, above 0
  /// @param weights  (count), may be `scores`
  /// @return what everything that was summed before is to be multiplied with
  using WeighRow = float (*)(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                             float* weights);
  /// out = in · factor for a multiple of 16 numbers; may be in place.
  using ScaleRow = void (*)(const float* in, std::int64_t count, float factor, float* out);

  const char* name;
  Multiply multiply;
  WeighRow weigh_row;
  ScaleRow scale_row;
};

extern const MatrixKernels kMatrixAvx2, kMatrixAvx512;

/// As MatrixKernels::Multiply, on processors with bfloat16 products (avx512_bf16).
void multiply_avx512_bf16(std::int64_t rows, std::int64_t columns, std::int64_t inner,
                          const std::uint16_t* a, std::int64_t a_row,
                          const Panels<std::uint16_t>& b, float* out, std::int64_t out_row,
                          bool add);
/// As MatrixKernels::WeighRow, on the same processors.
float weigh_row_avx512_bf16(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                            std::uint16_t* weights);
/// As MatrixKernels::ScaleRow, rounded.
void scale_row_avx512(const float* in, std::int64_t count, float factor, std::uint16_t* out);

}  // namespace vostrack::nn
