#include "nn/int8_linear.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"
#include "nn/parallel.hpp"
#include "nn/processor.hpp"

namespace vostrack::nn {
namespace {

constexpr std::int64_t kWhole = 16;        ///< channels come in multiples of this
constexpr std::int64_t kMostIn = 1 << 16;  ///< sums of so many products fit in 32 bits
/// Rows that are worked on together at most, so that they and some weights stay in the cache.
constexpr std::int64_t kRows = 96;
constexpr std::int64_t kRowsOfBoth = 48;
constexpr std::int64_t kTile = 6;  ///< rows that the kernel works on together

/// Rows of 8-bit numbers that a thread fills again and again.
class RowBuffer {
 public:
  RowBuffer(std::int64_t rows, std::int64_t channels)
      : channels_(channels),
        data_(static_cast<std::size_t>(rows * channels)),
        scale_(static_cast<std::size_t>(rows)),
        zero_(static_cast<std::size_t>(rows)) {}

  Int8Rows rows() { return {data_.data(), channels_, scale_.data(), zero_.data()}; }

 private:
  std::int64_t channels_;
  std::vector<std::uint8_t> data_;
  std::vector<float> scale_;
  std::vector<std::int32_t> zero_;
};

/// Rows of a block: fewer than `most` where each thread would not get one.
std::int64_t block_rows(std::int64_t rows, std::int64_t most) {
  const auto share = at::divup(rows, std::int64_t{at::get_num_threads()});
  return std::clamp(at::divup(share, kTile) * kTile, kTile, most);
}

template <class Number>
struct Matrix {
  Number* data;
  std::int64_t rows, columns;

  Number* row(std::int64_t i) const { return data + i * columns; }
};

#ifdef VOSTRACK_X86_KERNELS
template <class Number>
void run(const Matrix<const Number>& x, const Int8Columns& w, Int8Then then,
         const Matrix<Number>& out) {
  const auto block = block_rows(x.rows, kRows);
  share_out(
      at::divup(x.rows, block), [&] { return RowBuffer(block, x.columns); },
      [&](RowBuffer& buffer, std::int64_t i) {
        const auto row = i * block, count = std::min(block, x.rows - row);
        quantise_rows_avx512_vnni(x.row(row), x.columns, count, x.columns, buffer.rows());
        multiply_int8_avx512_vnni(count, buffer.rows(), w, then, out.row(row), out.columns);
      });
}

template <class Number>
void run_both(const Matrix<const Number>& x, const Int8Columns& w, Int8Then then,
              const Int8Columns& w2, const Matrix<Number>& out) {
  const auto block = block_rows(x.rows, kRowsOfBoth);
  struct Own {
    RowBuffer narrow, wide;
    std::vector<float> between;
  };
  share_out(
      at::divup(x.rows, block),
      [&] {
        return Own{{block, x.columns},
                   {block, w.columns},
                   std::vector<float>(static_cast<std::size_t>(block * w.columns))};
      },
      [&](Own& own, std::int64_t i) {
        const auto row = i * block, count = std::min(block, x.rows - row);
        quantise_rows_avx512_vnni(x.row(row), x.columns, count, x.columns, own.narrow.rows());
        multiply_int8_avx512_vnni(count, own.narrow.rows(), w, then, own.between.data(), w.columns);
        quantise_rows_avx512_vnni(own.between.data(), w.columns, count, w.columns, own.wide.rows());
        multiply_int8_avx512_vnni(count, own.wide.rows(), w2, Int8Then::kNothing, out.row(row),
                                  out.columns);
      });
}
#endif

/// Calls `work` with x and a new tensor of `columns` as matrices of their numbers.
template <class Work>
torch::Tensor with_matrices(const torch::Tensor& x, std::int64_t columns, const Work& work) {
  VOSTRACK_ASSERT(x.is_cpu() && Int8Linear::available());
  const auto in = x.contiguous();
  auto shape = x.sizes().vec();
  shape.back() = columns;
  auto out = torch::empty(shape, x.options());
  const auto channels = x.size(-1);
  const auto rows = x.numel() / channels;
  const auto call = [&]<class Number>(Number* to) {
    work(Matrix<const Number>{static_cast<const Number*>(in.const_data_ptr()), rows, channels},
         Matrix<Number>{to, rows, columns});
  };
  if (x.scalar_type() == torch::kBFloat16) {
    call(static_cast<std::uint16_t*>(out.data_ptr()));
  } else {
    VOSTRACK_ASSERT(x.scalar_type() == torch::kFloat32);
    call(static_cast<float*>(out.data_ptr()));
  }
  return out;
}

}  // namespace

bool Int8Linear::available() {
  return has_avx512_vnni();
}

bool Int8Linear::fits(const torch::Tensor& weight) {
  return weight.dim() == 2 && weight.size(0) % kWhole == 0 && weight.size(1) % kWhole == 0 &&
         weight.size(1) <= kMostIn;
}

Int8Linear::Int8Linear(const torch::Tensor& weight, const torch::Tensor& bias)
    : in_(weight.size(1)), out_(weight.size(0)) {
  VOSTRACK_ASSERT(fits(weight));
  const auto exact = weight.to(torch::kFloat32);
  scale_ = exact.abs().amax(1) / 127;
  scale_.masked_fill_(scale_ < kInt8Least, 1);  // all of them become zero
  const auto whole = torch::round(exact / scale_.unsqueeze(1)).to(torch::kInt8);
  sum_ = whole.sum(1, false, torch::kInt32);
  bias_ = torch::zeros({out_});
  if (bias.defined()) bias_.copy_(bias);
  const auto missing = at::divup(out_, std::int64_t{kInt8Panel}) * kInt8Panel - out_;
  data_ = torch::constant_pad_nd(whole, {0, 0, 0, missing})
              .view({-1, kInt8Panel, in_ / kInt8Quad, kInt8Quad})
              .transpose(1, 2)
              .contiguous();
}

Int8Columns Int8Linear::columns() const {
  return {data_.const_data_ptr<std::int8_t>(),
          scale_.const_data_ptr<float>(),
          bias_.const_data_ptr<float>(),
          sum_.const_data_ptr<std::int32_t>(),
          in_,
          out_};
}

torch::Tensor Int8Linear::forward(const torch::Tensor& x, [[maybe_unused]] Int8Then then) const {
  VOSTRACK_ASSERT(x.size(-1) == in_);
  return with_matrices(x, out_,
                       [&]([[maybe_unused]] const auto& in, [[maybe_unused]] const auto& out) {
#ifdef VOSTRACK_X86_KERNELS
                         run(in, columns(), then, out);
#endif
                       });
}

torch::Tensor Int8Linear::forward_both(const torch::Tensor& x, const Int8Linear& first,
                                       [[maybe_unused]] Int8Then then, const Int8Linear& second) {
  VOSTRACK_ASSERT(x.size(-1) == first.in_ && first.out_ == second.in_);
  return with_matrices(x, second.out_,
                       [&]([[maybe_unused]] const auto& in, [[maybe_unused]] const auto& out) {
#ifdef VOSTRACK_X86_KERNELS
                         run_both(in, first.columns(), then, second.columns(), out);
#endif
                       });
}

}  // namespace vostrack::nn
