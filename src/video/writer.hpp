/// Pictures to a video file that plays everywhere.
///
///   VideoWriter writer("overlay.mp4", 480, 854);
///   for (...) writer.write(image, frame.pts_s);    // the source's own timestamps
///   writer.finish();                               // only now there is an overlay.mp4
#pragma once

#include <memory>
#include <string>

#include "vostrack/types.hpp"
#include "vostrack/writing.hpp"

namespace vostrack::video {

/// Writes H.264 (x264, else OpenH264, else MPEG-4 part 2) as MP4 with its index in front, yuv420p,
/// BT.709 in limited range and tagged so. Timestamps are kept to 1/90000 s, so a variable rate
/// stays one; frames closer than that are shown 1/90000 s apart, and none is lost. An odd size gets
/// one more row or column that repeats the last.
///
/// Sound is not encoded again. A .mp4 holds AAC, MP3, AC-3, Opus and the like, a .mov also PCM;
/// sound that the container cannot hold is an error that says so.
///
/// The file has a temporary name until finish(), so what has the final name is whole; without
/// finish(), as after an error, nothing is left behind.
///
/// Thread safety: one thread at a time.
class VideoWriter {
 public:
  /// @param path  of the final file, ending in .mp4, .m4v or .mov
  /// @throws Error kInvalidArgument for a size below 1 or an unknown suffix; kNotFound without the
  ///   folder, the file of the sound or sound in it; kIo where nothing can be written; kUnsupported
  ///   without any encoder, and for sound that the container cannot hold
  VideoWriter(const std::string& path, int height, int width,
              const VideoWriterOptions& options = {});
  ~VideoWriter();
  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;

  /// @param pts_s  seconds, not below 0 nor before the last frame's
  /// @throws Error kInvalidArgument for another size or a time that goes back; kIo when the disk is
  ///   full; kFailedState after finish()
  void write(const Image& image, double pts_s);

  /// Completes the file, also after an interrupt, and gives it its name. A second call does
  /// nothing.
  ///
  /// @throws Error kFailedState without a single frame; kIo
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack::video
