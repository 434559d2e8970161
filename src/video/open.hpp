/// One way in for everything that has frames.
#pragma once

#include <memory>
#include <string>

#include "video/decoder.hpp"
#include "video/folder_source.hpp"
#include "video/video_source.hpp"

namespace vostrack::video {

struct OpenOptions {
  DecodeOptions decode;
  FolderOptions folder;
  /// How many frames are decoded before they are asked for where frames are read one after the
  /// other, on a thread of their own; 0: none.
  int read_ahead_frames = 4;
};

/// Opens a video file, a folder of pictures, a pattern such as `run/*.png` where no file has that
/// very name, a TIFF of several pages, or one picture as a video of one frame.
///
/// @throws Error kNotFound, kIo, kUnsupported, kDecode, as the one that the path turns out to be;
///   kInvalidArgument for options
std::unique_ptr<VideoSource> open_source(const std::string& path, const OpenOptions& options = {});

}  // namespace vostrack::video
