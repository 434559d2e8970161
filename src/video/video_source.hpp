/// A seekable video that can be cancelled and says what decodes it.
#pragma once

#include <optional>

#include "video/hardware.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::video {

/// Thread safety: one thread at a time, but cancel() on any.
class VideoSource : public FrameSource {
 public:
  /// Ends a read that runs on another thread, within the time that one frame takes to decode: it
  /// throws kCancelled, as do all later ones.
  virtual void cancel() noexcept = 0;

  /// Nothing for pictures.
  virtual std::optional<DecoderInUse> decoder_in_use() const = 0;
};

}  // namespace vostrack::video
