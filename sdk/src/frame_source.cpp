#include "vostrack/frame_source.hpp"

#include "base/check.hpp"
#ifdef VOSTRACK_WITH_VIDEO
#include "video/open.hpp"
#endif

namespace vostrack {

std::unique_ptr<FrameSource> open_video(const std::string& path) {
#ifdef VOSTRACK_WITH_VIDEO
  return video::open_source(path);
#else
  fail(ErrorCode::kUnsupported, "{}: this build reads no video (VOSTRACK_VIDEO is off)", path);
#endif
}

}  // namespace vostrack
