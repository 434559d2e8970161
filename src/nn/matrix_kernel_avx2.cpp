#define VOSTRACK_LANES 8
#include "nn/matrix_kernel_float32.hpp"

namespace vostrack::nn {

constinit const MatrixKernels<float> kMatrixAvx2 = matrix_kernels("avx2");

}  // namespace vostrack::nn
