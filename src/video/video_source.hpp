/// A seekable video that can be cancelled and says what decodes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "video/hardware.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::video {

/// A frame that is decoded, its colours still those of the stream.
class DecodedFrame {
 public:
  virtual ~DecodedFrame() = default;

  /// The upright RGB picture; to be called once, while the source lives.
  ///
  /// @throws Error as FrameSource::read
  virtual Frame convert() = 0;
};

/// Thread safety: one thread at a time, but cancel() on any.
class VideoSource : public FrameSource {
 public:
  /// Ends a read that runs on another thread, within the time that one frame takes to decode: it
  /// throws kCancelled, as do all later ones.
  virtual void cancel() noexcept = 0;

  /// Nothing for pictures.
  virtual std::optional<DecoderInUse> decoder_in_use() const = 0;
};

/// A video whose frames can be decoded on one thread and converted on another.
///
/// Thread safety: as above, and recycle() and convert() of decoded frames on any thread.
class TwoStageSource : public VideoSource {
 public:
  /// @throws Error as FrameSource::read
  virtual std::unique_ptr<DecodedFrame> decode(std::int64_t frame) = 0;
  Frame read(std::int64_t frame) final { return decode(frame)->convert(); }
};

}  // namespace vostrack::video
