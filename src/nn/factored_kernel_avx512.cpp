#define VOSTRACK_LANES 16
#define VOSTRACK_VECTORS 2
#define VOSTRACK_SLOTS 8
#define VOSTRACK_QUERIES 32
#include "nn/factored_kernel_body.hpp"

namespace vostrack::nn {

constinit const AttendKernel kAttendAvx512 = {"avx512", kQueryBlock, attend};

}  // namespace vostrack::nn
