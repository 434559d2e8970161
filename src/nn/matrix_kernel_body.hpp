/// The one text of all products of matrix_kernel.hpp. A file gives the arithmetic of its elements
/// as a struct `Arithmetic`, includes this once and is compiled for its processor.
///
/// As in vectors.hpp, everything is in an unnamed namespace.
#pragma once

namespace vostrack::nn {
namespace {

constexpr int kTileRows = 6;
/// As many as the registers hold: 32 of AVX-512, else 16.
constexpr int kTileVectors = kLanes == 16 ? 4 : 2;
constexpr int kTileColumns = kTileVectors * kLanes;
static_assert(kTileColumns % 16 == 0);

/// The part from a row and a column on.
inline Start part(const Start& start, std::int64_t row, std::int64_t column) {
  return {start.data ? start.data + row * start.row + column : nullptr, start.row};
}

/// kRows rows times kVectors vectors of columns, in registers.
///
/// @param steps  rows of b, or pairs of them
template <int kRows, int kVectors>
void tile(std::int64_t steps, const Arithmetic::Element* a, std::int64_t a_row,
          const Arithmetic::Element* b, std::int64_t b_row, const Start& start, float* out,
          std::int64_t out_row) {
  Vec sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v)
      sum[r][v] = start.data ? load(start.data + r * start.row + v * kLanes) : Vec{};
  for (std::int64_t step = 0; step < steps; ++step, b += b_row, a += Arithmetic::kElements) {
    Arithmetic::Wide column[kVectors];
    for (int v = 0; v < kVectors; ++v)
      column[v] = Arithmetic::load(b + v * kLanes * Arithmetic::kElements);
    for (int r = 0; r < kRows; ++r) {
      const auto scalar = Arithmetic::broadcast(a + r * a_row);
      for (int v = 0; v < kVectors; ++v)
        sum[r][v] = Arithmetic::add_product(sum[r][v], scalar, column[v]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kVectors; ++v) store(out + r * out_row + v * kLanes, sum[r][v]);
}

template <int kVectors>
void panel(std::int64_t rows, std::int64_t steps, const Arithmetic::Element* a, std::int64_t a_row,
           const Arithmetic::Element* b, std::int64_t b_row, const Start& start, float* out,
           std::int64_t out_row) {
  std::int64_t r = 0;
  for (; r + kTileRows <= rows; r += kTileRows)
    tile<kTileRows, kVectors>(steps, a + r * a_row, a_row, b, b_row, part(start, r, 0),
                              out + r * out_row, out_row);
  const Start rest = part(start, r, 0);
  a += r * a_row;
  out += r * out_row;
  switch (rows - r) {
    case 1:
      return tile<1, kVectors>(steps, a, a_row, b, b_row, rest, out, out_row);
    case 2:
      return tile<2, kVectors>(steps, a, a_row, b, b_row, rest, out, out_row);
    case 3:
      return tile<3, kVectors>(steps, a, a_row, b, b_row, rest, out, out_row);
    case 4:
      return tile<4, kVectors>(steps, a, a_row, b, b_row, rest, out, out_row);
    case 5:
      return tile<5, kVectors>(steps, a, a_row, b, b_row, rest, out, out_row);
    default:
      return;
  }
}

void multiply(std::int64_t rows, std::int64_t columns, std::int64_t inner,
              const Arithmetic::Element* a, std::int64_t a_row,
              const Panels<Arithmetic::Element>& b, const Start& start, float* out,
              std::int64_t out_row) {
  const std::int64_t steps = inner / Arithmetic::kElements;
  const Arithmetic::Element* data = b.data;
  std::int64_t column = 0;
  for (; column + kTileColumns <= columns; column += kTileColumns, data += b.panel)
    panel<kTileVectors>(rows, steps, a, a_row, data, b.row, part(start, 0, column), out + column,
                        out_row);
  if constexpr (kTileVectors == 4) {
    const Start rest = part(start, 0, column);
    switch ((columns - column) / kLanes) {
      case 1:
        return panel<1>(rows, steps, a, a_row, data, b.row, rest, out + column, out_row);
      case 2:
        return panel<2>(rows, steps, a, a_row, data, b.row, rest, out + column, out_row);
      case 3:
        return panel<3>(rows, steps, a, a_row, data, b.row, rest, out + column, out_row);
      default:
        return;
    }
  }
}

void scale(const float* in, std::int64_t count, float factor, Arithmetic::Element* out) {
  for (std::int64_t i = 0; i < count; i += kLanes) store(out + i, load(in + i) * factor);
}

}  // namespace
}  // namespace vostrack::nn
