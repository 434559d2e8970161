/// Objects without their background, as pictures and as video.
///
///   CutOutWriter writer("dog.webm", 480, 854);
///   for (...) writer.write(cut_out(image, mask, 1.5), frame.pts_s);
///   writer.finish();
#pragma once

#include <memory>
#include <string>

#include "vostrack/colour.hpp"
#include "vostrack/types.hpp"
#include "vostrack/writing.hpp"

namespace vostrack::video {

/// The picture inside the mask, transparent outside.
///
/// Nothing of the background is left in the result: what is wholly transparent has the object's
/// average colour, which bleeds less into the edge than black when a video encoder or a resizer
/// mixes neighbours.
///
/// @param mask      of the image's size
/// @param softness  0 for a hard edge, else the sigma in pixels, at most 100, of the Gaussian that
///   the opacity is blurred with; half of what it blurs lies outside the mask
/// @throws Error kInvalidArgument for another size or softness
RgbaImage cut_out(const Image& image, const Mask& mask, double softness = 0);

/// Writes pictures with transparency, in the format that the path names:
///
/// - .mov: ProRes 4444, for editing programs. 10 bits a colour; the opacity is exact. Times to
///   1/90000 s.
/// - .webm: VP9 with alpha, for browsers. Small, but colours and opacity are approximate. Times to
///   1/1000 s.
/// - no suffix: a folder of PNG files 00000.png, 00001.png, ...: exact, without times. The folder
///   is made if need be; each picture appears whole.
///
/// A video has a temporary name until finish(); without it nothing is left behind. Both are BT.709
/// in limited range and tagged so; frames closer than a tick are shown one tick apart.
///
/// Thread safety: one thread at a time.
class CutOutWriter {
 public:
  /// @throws Error kInvalidArgument for a size below 1, another suffix, or a file where the folder
  ///   should be; kNotFound without the folder above; kIo where nothing can be written;
  ///   kUnsupported naming the encoder that this FFmpeg lacks
  CutOutWriter(const std::string& path, int height, int width, const CutOutOptions& options = {});
  ~CutOutWriter();
  CutOutWriter(CutOutWriter&&) noexcept;
  CutOutWriter& operator=(CutOutWriter&&) noexcept;

  /// @param pts_s  seconds, not below 0 nor before the last frame's
  /// @throws Error kInvalidArgument for another size or a time that goes back; kIo when the disk is
  ///   full; kFailedState after finish()
  void write(const RgbaImage& image, double pts_s);

  /// Completes the video and gives it its name. A second call does nothing.
  ///
  /// @throws Error kFailedState without a single frame; kIo
  void finish();

  /// What the two formats share: a file or a folder that takes frames.
  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack::video
