/// Decoding ahead of who reads.
///
///   auto source = read_ahead(open_folder("frames"), 4);
///   while (...) use(source->read(i++));    // while frame i is used, the next four are decoded
#pragma once

#include <memory>

#include "video/video_source.hpp"

namespace vostrack::video {

/// Gives the same frames and the same errors as `source`, but where frames are read one after the
/// other, those that follow are decoded on another thread. Another frame than the next few ends
/// that: it is read at once, as without, and the run starts afresh when two frames in a row have
/// been read again.
///
/// Destroying it and cancel() end the run within the time that one frame takes to decode.
///
/// @param source  its const functions must work while it reads on another thread
/// @param frames  how many may wait, each as large as a picture; 0: none, without a thread
/// @throws Error kInvalidArgument for less than 0 or more than 256
std::unique_ptr<VideoSource> read_ahead(std::unique_ptr<FrameSource> source, int frames);

}  // namespace vostrack::video
