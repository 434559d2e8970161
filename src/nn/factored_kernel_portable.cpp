#define VOSTRACK_LANES 4
#define VOSTRACK_VECTORS 1
#define VOSTRACK_SLOTS 8
#include "nn/factored_kernel_body.hpp"

namespace vostrack::nn {

std::size_t factored_scratch(const FactoredLayer& layer, const KeyCoordinates& coordinates) {
  return scratch_rows(layer, coordinates) * kQueryBlock;
}

void attend_block_portable(const FactoredJob& job, std::int64_t first, float* scratch) {
  attend(job, first, scratch);
}

}  // namespace vostrack::nn
