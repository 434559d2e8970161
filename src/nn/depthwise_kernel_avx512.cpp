#define VOSTRACK_LANES 16
#include "nn/depthwise_kernel_body.hpp"

namespace vostrack::nn {

constinit const DepthwiseKernels kDepthwiseAvx512{"avx512", depthwise_kernel<float>(),
                                                  depthwise_kernel<std::uint16_t>()};

}  // namespace vostrack::nn
