/// Owners for C handles.
///
///   using FramePtr = std::unique_ptr<AVFrame, CDeleter<av_frame_free>>;
#pragma once

#include <memory>
#include <type_traits>

namespace vostrack {

/// Frees a C handle, whether the function wants the handle or its address.
template <auto Free>
struct CDeleter {
  template <class T>
  void operator()(T* handle) const noexcept {
    if constexpr (std::is_invocable_v<decltype(Free), T**>)
      Free(&handle);
    else
      Free(handle);
  }
};

}  // namespace vostrack
