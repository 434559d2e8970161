/// Mixed precision.
#pragma once

#include <ATen/autocast_mode.h>
#include <torch/types.h>

namespace vostrack::train {

/// While it lives, this thread's matrix products and convolutions run in bfloat16 and what needs
/// precision in float32, where mixed precision was asked for.
class Autocast {
 public:
  Autocast(torch::Device device, bool bfloat16)
      : device_(device.type()),
        was_enabled_(at::autocast::is_autocast_enabled(device_)),
        dtype_(at::autocast::get_autocast_dtype(device_)) {
    at::autocast::increment_nesting();
    at::autocast::set_autocast_enabled(device_, bfloat16);
    if (bfloat16) at::autocast::set_autocast_dtype(device_, at::kBFloat16);
  }
  ~Autocast() {
    // Weights in bfloat16 are kept within the outermost region; they change afterwards.
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_enabled_);
    at::autocast::set_autocast_dtype(device_, dtype_);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool was_enabled_;
  at::ScalarType dtype_;
};

}  // namespace vostrack::train
