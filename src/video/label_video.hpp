/// Label images as lossless video.
///
///   LabelVideoWriter writer("masks.mkv", 480, 854);
///   for (...) writer.write(labels, frame.pts_s);     // one byte per pixel: which object
///   writer.finish();
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace vostrack::video {

/// Writes one byte per pixel as grey FFV1 in Matroska: what is read back is equal to the last bit,
/// and every frame is a key frame. Matroska keeps times to 1/1000 s; frames closer than that are
/// shown 1/1000 s apart.
///
/// The file has a temporary name until finish(), so what has the final name is whole; without
/// finish() nothing is left behind.
///
/// Thread safety: one thread at a time.
class LabelVideoWriter {
 public:
  /// @param path  of the final file, ending in .mkv
  /// @throws Error kInvalidArgument for a size below 1 or another suffix; kNotFound without the
  ///   folder; kIo where nothing can be written; kUnsupported without the encoder
  LabelVideoWriter(const std::string& path, int height, int width);
  ~LabelVideoWriter();
  LabelVideoWriter(LabelVideoWriter&&) noexcept;
  LabelVideoWriter& operator=(LabelVideoWriter&&) noexcept;

  /// @param labels  height rows of width bytes
  /// @param pts_s   seconds, not below 0 nor before the last frame's
  /// @throws Error kInvalidArgument for another size or a time that goes back; kIo when the disk is
  ///   full; kFailedState after finish()
  void write(std::span<const std::uint8_t> labels, double pts_s);

  /// Completes the file and gives it its name. A second call does nothing.
  ///
  /// @throws Error kFailedState without a single frame; kIo
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack::video
