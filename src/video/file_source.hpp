/// Frames of a video file, in any order.
///
///   auto source = vostrack::video::open_file("clip.mp4");
///   Frame frame = source->read(12);        // the same bytes however it is reached
#pragma once

#include <memory>
#include <string>

#include "video/decoder.hpp"
#include "video/video_source.hpp"

namespace vostrack::video {

/// Opens a video file. Its packets are read once, so the number of frames and their timestamps are
/// exact, also where rates vary or the container states none.
///
/// Frames come upright (display matrix applied) in RGB, the colour matrix and range honoured.
/// A frame that cannot be decoded throws kDecode with the file, the frame and its time; the others
/// stay readable. A file that is cut short has the frames that are there.
///
/// @throws Error kNotFound, kIo, kUnsupported (codec); kDecode for a file without a video frame
std::unique_ptr<VideoSource> open_file(const std::string& path, const DecodeOptions& options = {});

}  // namespace vostrack::video
