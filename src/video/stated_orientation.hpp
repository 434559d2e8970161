/// What a file says about how its pictures lie.
#pragma once

#include "video/ffmpeg.hpp"
#include "video/orientation.hpp"

namespace vostrack::video {

/// The orientation by the stream's display matrix, else the frame's; as stored without either.
Orientation stated_orientation(const AVStream& stream, const AVFrame& frame);

}  // namespace vostrack::video
