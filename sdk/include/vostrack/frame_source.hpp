/// Where a session's frames come from.
///
///   auto source = vostrack::open_video("clip.mp4");          // or a folder of pictures
///   vostrack::Frame frame = source->read(12);                // upright RGB, with its time
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vostrack/export.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

/// A seekable video. Derive from it to feed frames of your own.
///
/// Thread safety: one thread at a time.
class VOSTRACK_API FrameSource {
 public:
  virtual ~FrameSource() = default;

  /// Number of frames, at least 1.
  virtual std::int64_t frame_count() const = 0;
  /// Size of every frame, upright.
  virtual int height() const = 0;
  virtual int width() const = 0;
  /// Presentation time of a frame in seconds, as the source states it.
  virtual double pts_s(std::int64_t index) const = 0;
  /// The frame's name, used for files of results.
  virtual std::string name(std::int64_t index) const = 0;
  /// Decodes one frame. Reading onwards is cheap, jumping back may cost a seek.
  ///
  /// @throws Error kOutOfRange, kDecode
  virtual Frame read(std::int64_t index) = 0;
  /// Gives back a frame that is no longer needed, so that a later one takes its memory instead of
  /// new memory, which costs as much as a tenth of reading. Never necessary.
  virtual void recycle(Frame&& /*frame*/) {}
};

/// Opens a video file or a folder of pictures.
///
/// @throws Error kNotFound, kDecode
VOSTRACK_API std::unique_ptr<FrameSource> open_video(const std::string& path);

}  // namespace vostrack
