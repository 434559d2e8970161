/// The owner of a file that is being written.
#pragma once

#include <memory>

#include "video/ffmpeg.hpp"

namespace vostrack::video {

/// Closes the file under a muxer before the muxer itself.
struct OutputCloser {
  void operator()(AVFormatContext* context) const noexcept {
    avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
using FormatOutput = std::unique_ptr<AVFormatContext, OutputCloser>;

}  // namespace vostrack::video
