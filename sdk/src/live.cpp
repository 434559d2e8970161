#include "vostrack/live.hpp"

#include <utility>

#include "base/check.hpp"
#ifdef VOSTRACK_WITH_VIDEO
#include "video/live_source.hpp"
#endif

namespace vostrack {

#ifdef VOSTRACK_WITH_VIDEO

namespace {

video::LiveOptions inner(const LiveOptions& options) {
  video::LiveOptions result;
  result.format = options.format;
  result.settings = options.settings;
  result.camera.height = options.camera_height;
  result.camera.width = options.camera_width;
  result.camera.fps = options.camera_fps;
  result.camera.pixel_format = options.camera_pixel_format;
  result.open_timeout_s = options.open_timeout_s;
  result.read_timeout_s = options.read_timeout_s;
  result.reconnect_at_end = options.reconnect_at_end;
  result.max_attempts = options.max_attempts;
  result.first_pause_s = options.first_pause_s;
  result.max_pause_s = options.max_pause_s;
  result.queue_frames = options.queue_frames;
  result.policy = options.policy;
  result.decode.threads = options.threads;
  result.decode.hardware = video::hardware_from_name(options.hardware);
  return result;
}

}  // namespace

struct LiveVideo::Impl {
  Impl(const std::string& address, const LiveOptions& options) : source(address, inner(options)) {}
  video::LiveSource source;
};

LiveVideo::LiveVideo(const std::string& address, const LiveOptions& options)
    : impl_(std::make_unique<Impl>(address, options)) {}

int LiveVideo::height() const {
  return impl_->source.height();
}
int LiveVideo::width() const {
  return impl_->source.width();
}

std::string LiveVideo::decoder() const {
  return video::text_of(impl_->source.decoder_in_use());
}

std::optional<LivePicture> LiveVideo::next() {
  std::optional<video::LiveFrame> live = impl_->source.next();
  if (!live) return std::nullopt;
  return LivePicture{std::move(live->frame), live->arrival};
}

void LiveVideo::cancel() {
  impl_->source.cancel();
}

LiveCounts LiveVideo::statistics() const {
  const video::LiveStatistics counts = impl_->source.statistics();
  return {counts.decoded, counts.dropped, counts.undecodable, counts.reconnects};
}

#else  // A build without video has the class, so that programs link, but nothing behind it.

struct LiveVideo::Impl {};

LiveVideo::LiveVideo(const std::string& address, const LiveOptions&) {
  fail(ErrorCode::kUnsupported, "{}: this build reads no video (VOSTRACK_VIDEO is off)", address);
}
int LiveVideo::height() const {
  return 0;
}
int LiveVideo::width() const {
  return 0;
}
std::string LiveVideo::decoder() const {
  return {};
}
std::optional<LivePicture> LiveVideo::next() {
  return std::nullopt;
}
void LiveVideo::cancel() {}
LiveCounts LiveVideo::statistics() const {
  return {};
}

#endif

LiveVideo::~LiveVideo() = default;
LiveVideo::LiveVideo(LiveVideo&&) noexcept = default;
LiveVideo& LiveVideo::operator=(LiveVideo&&) noexcept = default;

}  // namespace vostrack
