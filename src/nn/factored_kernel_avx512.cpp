#define VOSTRACK_LANES 16
#define VOSTRACK_VECTORS 2
#define VOSTRACK_SLOTS 8
#include "nn/factored_kernel_body.hpp"

namespace vostrack::nn {

void attend_block_avx512(const FactoredJob& job, std::int64_t first, float* scratch) {
  attend(job, first, scratch);
}

}  // namespace vostrack::nn
