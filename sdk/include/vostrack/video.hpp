/// Videos and pictures with a say in how they are read.
///
///   vostrack::VideoOptions options;
///   options.hardware = "auto";
///   auto source = vostrack::open_video("clip.mp4", options);
///   log(vostrack::decoder_of(*source));           // "h264 (cuda)", or why it is not
#pragma once

#include <memory>
#include <string>

#include "vostrack/export.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack {

struct VideoOptions {
  /// Decoding threads; 0: as many as there are processors. The pictures do not depend on it.
  int threads = 0;
  /// What decodes a video file: none (the processor's cores), auto, cuda, vaapi or videotoolbox.
  /// Where the machine cannot, the cores do; decoder_of() says so.
  std::string hardware = "none";
  /// How many frames, 0 to 256, are decoded before they are asked for where frames are read one
  /// after the other, on a thread of their own.
  int read_ahead_frames = 4;
  /// Pictures have no times: frame n gets n / fps seconds.
  double fps = 24;
};

/// Opens a video file, a folder of pictures, a pattern of the shell such as `run/*.png`, a TIFF of
/// several pages, or a single picture.
///
/// @throws Error kNotFound, kIo, kUnsupported, kDecode; kInvalidArgument for options
VOSTRACK_API std::unique_ptr<FrameSource> open_video(const std::string& path,
                                                     const VideoOptions& options);

/// What decodes, such as "h264" or "h264 (cuda)", and why not the hardware that was asked for;
/// empty for pictures and for sources that are not open_video's.
VOSTRACK_API std::string decoder_of(const FrameSource& source);

}  // namespace vostrack
