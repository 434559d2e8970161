#define VOSTRACK_LANES 8
#include "nn/norm_kernel_body.hpp"

namespace vostrack::nn {

constinit const NormKernels kNormAvx2 = norm_kernels("avx2");

}  // namespace vostrack::nn
