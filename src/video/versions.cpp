#include "video/versions.hpp"

#include <opencv2/core/version.hpp>

#include "base/check.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/avutil.h>
}

namespace vostrack::video {

std::string library_versions() {
  const unsigned codec = avcodec_version();
  return fmt::format("FFmpeg {} (libavcodec {}.{}.{})\nOpenCV {}", av_version_info(), codec >> 16,
                     codec >> 8 & 0xFF, codec & 0xFF, CV_VERSION);
}

}  // namespace vostrack::video
