#define VOSTRACK_LANES 4
#define VOSTRACK_VECTORS 1
#define VOSTRACK_SLOTS 8
#define VOSTRACK_QUERIES 32
#include "nn/factored_kernel_body.hpp"

namespace vostrack::nn {

std::size_t factored_scratch(const AttendKernel& kernel, const FactoredLayer& layer,
                             const KeyCoordinates& coordinates) {
  return scratch_rows(layer, coordinates) * static_cast<std::size_t>(kernel.block);
}

constinit const AttendKernel kAttendPortable = {"portable", kQueryBlock, attend};

}  // namespace vostrack::nn
