#define VOSTRACK_LANES 4
#include "nn/depthwise_kernel_body.hpp"

namespace vostrack::nn {

constinit const DepthwiseKernels kDepthwisePortable{"portable", depthwise_kernel<float>(),
                                                    depthwise_kernel<std::uint16_t>()};

}  // namespace vostrack::nn
