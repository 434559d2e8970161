#define VOSTRACK_LANES 8
#define VOSTRACK_VECTORS 3
#define VOSTRACK_SLOTS 4
#define VOSTRACK_QUERIES 24
#include "nn/factored_kernel_body.hpp"

namespace vostrack::nn {

constinit const AttendKernel kAttendAvx2 = {"avx2", kQueryBlock, attend};

}  // namespace vostrack::nn
