#define VOSTRACK_LANES 8
#define VOSTRACK_VECTORS 2
#define VOSTRACK_SLOTS 4
#include "nn/factored_kernel_body.hpp"

namespace vostrack::nn {

void attend_block_avx2(const FactoredJob& job, std::int64_t first, float* scratch) {
  attend(job, first, scratch);
}

}  // namespace vostrack::nn
