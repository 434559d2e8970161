#include "base/check.hpp"
#include "vostrack/video.hpp"
#ifdef VOSTRACK_WITH_VIDEO
#include "video/open.hpp"
#endif

namespace vostrack {

std::unique_ptr<FrameSource> open_video(const std::string& path) {
  return open_video(path, VideoOptions{});
}

#ifdef VOSTRACK_WITH_VIDEO

std::unique_ptr<FrameSource> open_video(const std::string& path, const VideoOptions& options) {
  video::OpenOptions inner;
  inner.decode.threads = options.threads;
  inner.decode.hardware = video::hardware_from_name(options.hardware);
  inner.folder.fps = options.fps;
  inner.read_ahead_frames = options.read_ahead_frames;
  return video::open_source(path, inner);
}

std::string decoder_of(const FrameSource& source) {
  const auto* video = dynamic_cast<const video::VideoSource*>(&source);
  const auto in_use = video != nullptr ? video->decoder_in_use() : std::nullopt;
  return in_use ? video::text_of(*in_use) : std::string();
}

#else

std::unique_ptr<FrameSource> open_video(const std::string& path, const VideoOptions&) {
  fail(ErrorCode::kUnsupported, "{}: this build reads no video (VOSTRACK_VIDEO is off)", path);
}

std::string decoder_of(const FrameSource&) {
  return {};
}

#endif

}  // namespace vostrack
