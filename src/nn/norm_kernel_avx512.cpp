#define VOSTRACK_LANES 16
#include "nn/norm_kernel_body.hpp"

namespace vostrack::nn {

constinit const NormKernels kNormAvx512 = norm_kernels("avx512");

}  // namespace vostrack::nn
