#include "memory/long_lived.hpp"

#include <torch/torch.h>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#define VOSTRACK_MMAP 1
#endif

namespace vostrack::memory {

torch::Tensor long_lived(const torch::Tensor& tensor, torch::Device device) {
#ifdef VOSTRACK_MMAP
  constexpr std::size_t kLarge = 32 << 10;  // pages of its own cost a sixteenth of it on average
  const std::size_t size = tensor.nbytes();
  if (device.is_cpu() && size >= kLarge) {
    void* const data =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data != MAP_FAILED) {  // else there are too many already
      auto copy = torch::from_blob(
          data, tensor.sizes(), [size](void* done) { ::munmap(done, size); },
          tensor.options().device(device));
      return copy.copy_(tensor);
    }
  }
#endif
  return tensor.to(device, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true,
                   at::MemoryFormat::Contiguous);
}

}  // namespace vostrack::memory
