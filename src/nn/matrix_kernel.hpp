/// Matrix products and softmax rows of blocked attention (dense_attention.hpp), one variant for
/// each kind of processor. Plain pointers only, so that a variant's file can be compiled for its
/// processor without a line of LibTorch's headers in it.
///
/// The second matrix of a product lies in panels of as many columns as the registers hold sums of. In
/// bfloat16 two neighbouring rows of it are side by side: a row of the panel holds pairs. bfloat16
/// numbers are their bits.
#pragma once

#include <cstdint>

namespace vostrack::nn {

/// A product's second matrix.
template <class Element>
struct Panels {
  const Element* data;
  std::int64_t row;    ///< elements from a row (bfloat16: a pair of rows) to the next
  std::int64_t panel;  ///< elements from a panel to the next
};

/// What the sums of a product begin with: rows of numbers, or 0. Rows that lie no distance apart are
/// one row.
struct Start {
  const float* data = nullptr;
  std::int64_t row = 0;
};

/// A query's softmax so far: its largest scaled score and the sum of powers of two.
struct SoftmaxRow {
  float largest = -1e30F;
  float powers = 0;
};

/// @tparam Element  float, or the bits of a bfloat16
template <class Element>
struct MatrixKernels {
  /// out = start + a · b.
  ///
  /// @param a  (rows, inner), rows `a_row` elements apart
  /// @param b  (inner, columns)
  /// @param columns  a multiple of 16; in bfloat16 `inner` is even
  /// @param out  (rows, columns), rows `out_row` apart; `start` may lie there
  using Multiply = void (*)(std::int64_t rows, std::int64_t columns, std::int64_t inner,
                            const Element* a, std::int64_t a_row, const Panels<Element>& b,
                            const Start& start, float* out, std::int64_t out_row);
  /// Turns a query's further scores into weights; those in bfloat16 are rounded.
  ///
  /// @param scores  (count), a multiple of 16
  /// @param scale  of scores, above 0
  /// @param weights  (count), in float32 may be `scores`
  /// @return what everything that was summed before is to be multiplied with
  using WeighRow = float (*)(const float* scores, std::int64_t count, float scale, SoftmaxRow& row,
                             Element* weights);
  /// out = in · factor for a multiple of 16 numbers; in float32 may be in place.
  using ScaleRow = void (*)(const float* in, std::int64_t count, float factor, Element* out);

  const char* name;
  int panel;  ///< columns of a panel of `b`, a multiple of 16
  Multiply multiply;
  WeighRow weigh_row;
  ScaleRow scale_row;
};

extern const MatrixKernels<float> kMatrixAvx2, kMatrixAvx512;
/// On processors with bfloat16 products (avx512_bf16).
extern const MatrixKernels<std::uint16_t> kMatrixAvx512Bf16;

}  // namespace vostrack::nn
