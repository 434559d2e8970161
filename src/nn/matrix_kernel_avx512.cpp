#define VOSTRACK_LANES 16
#include "nn/matrix_kernel_float32.hpp"

namespace vostrack::nn {

constinit const MatrixKernels<float> kMatrixAvx512 = matrix_kernels("avx512");

}  // namespace vostrack::nn
