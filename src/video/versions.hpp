#pragma once

#include <string>

namespace vostrack::video {

/// "FFmpeg … (libavcodec …)" and "OpenCV …", a line each.
std::string library_versions();

}  // namespace vostrack::video
