#define VOSTRACK_LANES 8
#include "nn/depthwise_kernel_body.hpp"

namespace vostrack::nn {

constinit const DepthwiseKernels kDepthwiseAvx2{"avx2", depthwise_kernel<float>(),
                                                depthwise_kernel<std::uint16_t>()};

}  // namespace vostrack::nn
