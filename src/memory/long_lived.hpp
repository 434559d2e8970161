/// Memory for what stays while much around it comes and goes.
#pragma once

#include <torch/types.h>

namespace vostrack::memory {

/// A copy on a device, contiguous. On the CPU a large one lies apart from what the networks use
/// between their layers: among that it would leave gaps that the next one does not fit into.
torch::Tensor long_lived(const torch::Tensor& tensor, torch::Device device);

}  // namespace vostrack::memory
