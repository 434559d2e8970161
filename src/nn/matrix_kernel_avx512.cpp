#define VOSTRACK_LANES 16
#include "nn/matrix_kernel_float32.hpp"

namespace vostrack::nn {

constinit const MatrixKernels kMatrixAvx512 = matrix_kernels("avx512");

void scale_row_avx512(const float* in, std::int64_t count, float factor, std::uint16_t* out) {
  scale(in, count, factor, out);
}

}  // namespace vostrack::nn
