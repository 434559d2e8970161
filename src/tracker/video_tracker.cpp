#include "tracker/video_tracker.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace vostrack::tracker {

VideoTracker::VideoTracker(std::shared_ptr<const nn::Model> model, FrameSource& source,
                           const TrackerConfig& config)
    : ObjectTracking(std::move(model), config), source_(source) {
  check(source_.frame_count() > 0 && source_.height() > 0 && source_.width() > 0,
        ErrorCode::kInvalidArgument, "the source has {} frames of {}×{} (height × width)",
        source_.frame_count(), source_.height(), source_.width());
}

FrameAnswer VideoTracker::add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt) {
  check_not_propagating();
  check_frame(frame);
  return ObjectTracking::add_prompt(id, frame, prompt, source_.height(), source_.width());
}

FrameAnswer VideoTracker::clear_prompts(ObjectId id, FrameIndex frame) {
  check_not_propagating();
  check_frame(frame);
  return ObjectTracking::clear_prompts(id, frame);
}

void VideoTracker::remove_object(ObjectId id) {
  check_not_propagating();
  ObjectTracking::remove_object(id);
}

void VideoTracker::reset() {
  check_not_propagating();
  mutable_objects().clear();
}

std::int64_t VideoTracker::propagate(const Range& range,
                                     const std::function<bool(const FrameAnswer&)>& on_frame) {
  torch::InferenceMode guard;
  check_not_propagating();
  const FrameIndex last_frame = source_.frame_count() - 1;
  if (range.start) check_frame(*range.start);
  check(!range.count || *range.count >= 0, ErrorCode::kInvalidArgument,
        "number of frames to propagate is {}, want at least 0", range.count.value_or(0));
  check(!objects().empty(), ErrorCode::kFailedState,
        "there is no object to track; add a prompt first");
  std::vector<Object*> all;
  for (const auto& object : objects()) {
    check(object->prompted(), ErrorCode::kFailedState,
          "object {} has no prompted frame left to track from; add a prompt or remove it",
          object->id);
    all.push_back(object.get());
  }
  take_in_pending();
  propagating_ = true;
  const std::unique_ptr<bool, void (*)(bool*)> done_propagating(&propagating_,
                                                                [](bool* flag) { *flag = false; });

  FrameIndex start = last_frame;
  if (range.start)
    start = *range.start;
  else
    for (const Object* object : all)
      start = std::min(start, object->bank.conditioning.first_frame());
  const FrameIndex most = std::min(range.count.value_or(last_frame), last_frame);
  const FrameIndex end =
      range.reverse ? std::max<FrameIndex>(start - most, 0) : std::min(start + most, last_frame);
  if (range.reverse && start == 0) return 0;

  std::int64_t done = 0;
  const FrameIndex step = range.reverse ? -1 : 1;
  for (FrameIndex frame = start; frame != end + step; frame += step) {
    pass(all, frame, range.reverse);
    ++done;
    if (!on_frame(passed_answer(frame))) break;
  }
  return done;
}

void VideoTracker::check_not_propagating() const {
  check(!propagating_, ErrorCode::kFailedState,
        "objects cannot change while frames are handed over; stop first, by returning false");
}

void VideoTracker::check_frame(FrameIndex frame) const {
  check(frame >= 0 && frame < source_.frame_count(), ErrorCode::kOutOfRange,
        "frame is {}, want 0 to {}", frame, source_.frame_count() - 1);
}

const nn::ImageFeatures& VideoTracker::features(FrameIndex frame) {
  auto it = std::ranges::find(cache_, frame, &std::pair<FrameIndex, nn::ImageFeatures>::first);
  if (it != cache_.end()) {
    cache_.splice(cache_.begin(), cache_, it);
  } else {
    cache_.emplace_front(frame, model().encode(model().network_input(source_.read(frame))));
    while (cache_.size() > static_cast<std::size_t>(config().cached_frames)) cache_.pop_back();
  }
  return cache_.front().second;
}

}  // namespace vostrack::tracker
