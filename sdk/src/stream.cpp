#include "vostrack/stream.hpp"

#include <cmath>

#include "base/check.hpp"
#include "model_impl.hpp"
#include "results.hpp"
#include "tensors.hpp"
#include "tracker/stream_tracker.hpp"

namespace vostrack {
namespace {

tracker::StreamConfig stream_config(const nn::Model& model, const StreamConfig& config) {
  tracker::StreamConfig result;
  result.tracking = tracker::TrackerConfig::from(model);
  result.tracking.corrections_last = true;
  result.tracking.non_overlapping = config.non_overlapping || result.tracking.non_overlapping;
  if (config.fill_hole_area) result.tracking.fill_hole_area = *config.fill_hole_area;
  result.tracking.remove_sprinkle_area = config.remove_sprinkle_area;
  result.tracking.objects_per_batch = config.objects_per_batch;
  result.tracking.cached_frames = config.held_frames;
  if (config.memories_on_cpu) result.tracking.storage = torch::kCPU;
  result.latest_conditioning_frames = config.latest_prompted_frames;
  return result;
}

}  // namespace

struct StreamTracker::Impl {
  Impl(Model model_in, const StreamConfig& config)
      : model(std::move(model_in)),
        tracker(model.impl()->model, stream_config(*model.impl()->model, config)) {}

  FrameResult result(tracker::FrameAnswer answer) const {
    FrameResult frame;
    frame.frame = answer.frame;
    frame.pts_s = times_s[static_cast<std::size_t>(answer.frame - tracker.oldest_held_frame())];
    frame.name = fmt::format("{:05}", answer.frame);
    frame.height = tracker.height();
    frame.width = tracker.width();
    return make_result(std::move(frame), std::move(answer), tracker.config().non_overlapping);
  }

  Model model;
  tracker::StreamTracker tracker;
  std::deque<double> times_s;  ///< of the held frames
};

StreamTracker::StreamTracker(Model model, StreamConfig config)
    : impl_(std::make_unique<Impl>(std::move(model), config)) {}
StreamTracker::~StreamTracker() = default;
StreamTracker::StreamTracker(StreamTracker&&) noexcept = default;
StreamTracker& StreamTracker::operator=(StreamTracker&&) noexcept = default;

FrameResult StreamTracker::track(const Image& image, double pts_s) {
  check(std::isfinite(pts_s), ErrorCode::kInvalidArgument, "time of frame {} is {}, want a number",
        latest_frame() + 1, pts_s);
  auto& times = impl_->times_s;
  check(times.empty() || pts_s >= times.back(), ErrorCode::kInvalidArgument,
        "time of frame {} is {} s, want at least the last frame's, {} s; reset for another stream",
        latest_frame() + 1, pts_s, times.empty() ? 0.0 : times.back());
  return translate_errors([&] {
    auto answer = impl_->tracker.track(to_tensor(image));
    times.push_back(pts_s);
    while (times.size() > static_cast<std::size_t>(latest_frame() - oldest_held_frame() + 1))
      times.pop_front();
    return impl_->result(std::move(answer));
  });
}

FrameResult StreamTracker::add_prompt(ObjectId object_id, const Prompt& prompt,
                                      std::optional<std::int64_t> frame) {
  return translate_errors([&] {
    return impl_->result(
        impl_->tracker.add_prompt(object_id, frame.value_or(latest_frame()), prompt));
  });
}

void StreamTracker::remove_object(ObjectId object_id) {
  impl_->tracker.remove_object(object_id);
}
void StreamTracker::reset_object(ObjectId object_id) {
  impl_->tracker.reset_object(object_id);
}
void StreamTracker::reset() {
  impl_->tracker.reset();
  impl_->times_s.clear();
}

std::vector<ObjectRecord> StreamTracker::objects() const {
  return make_records(impl_->tracker);
}
std::int64_t StreamTracker::latest_frame() const noexcept {
  return impl_->tracker.latest_frame();
}
std::int64_t StreamTracker::oldest_held_frame() const noexcept {
  return impl_->tracker.oldest_held_frame();
}

}  // namespace vostrack
