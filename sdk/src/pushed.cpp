#include "vostrack/pushed.hpp"

#include <utility>

#include "video/pushed_source.hpp"

namespace vostrack {

struct PushedVideo::Impl {
  video::PushedSource source;
};

PushedVideo::PushedVideo(const PushedOptions& options)
    : impl_(new Impl{video::PushedSource(options)}) {}
PushedVideo::~PushedVideo() = default;
PushedVideo::PushedVideo(PushedVideo&&) noexcept = default;
PushedVideo& PushedVideo::operator=(PushedVideo&&) noexcept = default;

bool PushedVideo::push(const PushedPicture& picture, double pts_s) {
  return impl_->source.push(picture, pts_s);
}
bool PushedVideo::push(const PushedPicture& picture, double pts_s,
                       std::shared_ptr<const void> owner) {
  return impl_->source.push(picture, pts_s, std::move(owner));
}
bool PushedVideo::push(Image image, double pts_s) {
  return impl_->source.push(std::move(image), pts_s);
}

std::optional<LivePicture> PushedVideo::next() {
  std::optional<video::LiveFrame> live = impl_->source.next();
  if (!live) return std::nullopt;
  return LivePicture{std::move(live->frame), live->arrival};
}

void PushedVideo::close() {
  impl_->source.close();
}
void PushedVideo::cancel() {
  impl_->source.cancel();
}
std::int64_t PushedVideo::dropped() const {
  return impl_->source.dropped();
}

}  // namespace vostrack
