#include <immintrin.h>

#include "nn/int8_kernel.hpp"

#define VOSTRACK_LANES 16
#include "nn/vectors.hpp"

namespace vostrack::nn {
namespace {

constexpr int kTileRows = 6;
constexpr int kPanelVectors = kInt8Panel / kLanes;

inline Vec larger(Vec a, Vec b) {
  return _mm512_maskz_max_ps(0xFFFF, a, b);
}
inline Vec smaller(Vec a, Vec b) {
  return _mm512_maskz_min_ps(0xFFFF, a, b);
}

inline float largest_lane(Vec v) {
  v = larger(v, swapped<8>(v));
  v = larger(v, swapped<4>(v));
  v = larger(v, swapped<2>(v));
  return larger(v, swapped<1>(v))[0];
}

/// x Φ(x), with a polynomial of least error on |x| ≤ kEdge that is one at its end.
inline Vec gelu_of(Vec x) {
  constexpr float kEdge = 4.2F;
  const Vec near = smaller(larger(x, splat(-kEdge)), splat(kEdge));
  const Vec square = near * near;
  Vec p = splat(-9.01752745e-10F);
  p = p * square + 7.94133614e-8F;
  p = p * square - 3.03793064e-6F;
  p = p * square + 6.68906817e-5F;
  p = p * square - 9.50657381e-4F;
  p = p * square + 9.29822872e-3F;
  p = p * square - 6.55282006e-2F;
  p = p * square + 3.98465872e-1F;
  return x * (near * p + 0.5F);
}

template <class Number>
void quantise(const Number* x, std::int64_t x_row, std::int64_t rows, std::int64_t channels,
              const Int8Rows& out) {
  for (std::int64_t r = 0; r < rows; ++r, x += x_row) {
    Vec low = {}, high = {};  // zero is always among what can be told apart
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const Vec v = load(x + c);
      low = smaller(low, v);
      high = larger(high, v);
    }
    const float least = -largest_lane(-low), most = largest_lane(high);
    const float step = (most - least) / 255;
    const float scale = step > kInt8Least ? step : 1.0F;
    const float inverse = 1 / scale;
    const auto zero = static_cast<std::int32_t>(-least * inverse + 0.5F);
    out.scale[r] = scale;
    out.zero[r] = zero;
    // Numbers this large have no fraction, and their last byte counts up from zero.
    constexpr float kWhole = 12582912;  // 1.5 · 2^23
    const Vec offset = splat(kWhole + static_cast<float>(zero));
    std::uint8_t* const to = out.data + r * out.row;
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const Vec q =
          larger(smaller(load(x + c) * inverse + offset, splat(kWhole + 255)), splat(kWhole));
      const __m128i bytes = _mm512_maskz_cvtepi32_epi8(0xFFFF, reinterpret_cast<__m512i>(q));
      std::memcpy(to + c, &bytes, sizeof bytes);
    }
  }
}

/// Turns sums of products into what is asked for, for the columns of one panel.
template <class Out, Int8Then kThen>
struct Finish {
  const float *row_scale, *scale, *bias;
  const std::int32_t *row_zero, *sum;
  Out* out;
  std::int64_t out_row;

  void operator()(std::int64_t r, int v, IntVec products) const {
    IntVec ones;
    std::memcpy(&ones, sum + v * kLanes, sizeof ones);
    const Vec exact = __builtin_convertvector(products - ones * row_zero[r], Vec);
    Vec x = exact * (load(scale + v * kLanes) * row_scale[r]) + load(bias + v * kLanes);
    if constexpr (kThen == Int8Then::kRelu) x = larger(x, Vec{});
    if constexpr (kThen == Int8Then::kGelu) x = gelu_of(x);
    store(out + r * out_row + v * kLanes, x);
  }
};

/// Sums in V16SI throughout: as __m512i the compiler copies them at each step.
inline IntVec add_products(IntVec sum, IntVec bytes, IntVec signed_bytes) {
  return reinterpret_cast<IntVec>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum),
                                                      reinterpret_cast<__m512i>(bytes),
                                                      reinterpret_cast<__m512i>(signed_bytes)));
}

/// kRows rows times kVectors vectors of columns, in registers.
template <int kRows, int kVectors, class Finisher>
void tile(std::int64_t quads, std::int64_t first, const std::uint8_t* a, std::int64_t a_row,
          const std::int8_t* b, const Finisher& finish) {
  IntVec sum[kRows][kVectors] = {};
  for (std::int64_t i = 0; i < quads; ++i, a += kInt8Quad, b += kInt8Panel * kInt8Quad) {
    IntVec column[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) std::memcpy(&column[v], b + v * 64, sizeof column[v]);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      std::int32_t quad;
      std::memcpy(&quad, a + r * a_row, sizeof quad);
      const IntVec row = quad - IntVec{};
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[r][v] = add_products(sum[r][v], row, column[v]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) finish(first + r, v, sum[r][v]);
}

template <int kVectors, class Finisher>
void panel(std::int64_t rows, const Int8Rows& x, std::int64_t quads, const std::int8_t* b,
           const Finisher& finish) {
  std::int64_t r = 0;
  for (; r + kTileRows <= rows; r += kTileRows)
    tile<kTileRows, kVectors>(quads, r, x.data + r * x.row, x.row, b, finish);
  for (; r < rows; ++r) tile<1, kVectors>(quads, r, x.data + r * x.row, x.row, b, finish);
}

template <Int8Then kThen, class Out>
void multiply(std::int64_t rows, const Int8Rows& x, const Int8Columns& w, Out* out,
              std::int64_t out_row) {
  const std::int64_t quads = w.inner / kInt8Quad;
  for (std::int64_t first = 0; first < w.columns; first += kInt8Panel) {
    const std::int8_t* const b = w.data + first * w.inner;
    const Finish<Out, kThen> finish{x.scale,       w.scale + first, w.bias + first, x.zero,
                                    w.sum + first, out + first,     out_row};
    switch ((w.columns - first) / kLanes) {
      case 1:
        panel<1>(rows, x, quads, b, finish);
        break;
      case 2:
        panel<2>(rows, x, quads, b, finish);
        break;
      case 3:
        panel<3>(rows, x, quads, b, finish);
        break;
      default:
        panel<kPanelVectors>(rows, x, quads, b, finish);
    }
  }
}

template <class Out>
void multiply_then(std::int64_t rows, const Int8Rows& x, const Int8Columns& w, Int8Then then,
                   Out* out, std::int64_t out_row) {
  switch (then) {
    case Int8Then::kNothing:
      return multiply<Int8Then::kNothing>(rows, x, w, out, out_row);
    case Int8Then::kRelu:
      return multiply<Int8Then::kRelu>(rows, x, w, out, out_row);
    case Int8Then::kGelu:
      return multiply<Int8Then::kGelu>(rows, x, w, out, out_row);
  }
}

}  // namespace

void quantise_rows_avx512_vnni(const float* x, std::int64_t x_row, std::int64_t rows,
                               std::int64_t channels, const Int8Rows& out) {
  quantise(x, x_row, rows, channels, out);
}
void quantise_rows_avx512_vnni(const std::uint16_t* x, std::int64_t x_row, std::int64_t rows,
                               std::int64_t channels, const Int8Rows& out) {
  quantise(x, x_row, rows, channels, out);
}

void multiply_int8_avx512_vnni(std::int64_t rows, const Int8Rows& x, const Int8Columns& w,
                               Int8Then then, float* out, std::int64_t out_row) {
  multiply_then(rows, x, w, then, out, out_row);
}
void multiply_int8_avx512_vnni(std::int64_t rows, const Int8Rows& x, const Int8Columns& w,
                               Int8Then then, std::uint16_t* out, std::int64_t out_row) {
  multiply_then(rows, x, w, then, out, out_row);
}

}  // namespace vostrack::nn
