#include "tracker/stream_tracker.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace vostrack::tracker {

void StreamConfig::validate() const {
  tracking.validate();
  check(latest_conditioning_frames >= 1, ErrorCode::kInvalidArgument,
        "latest_conditioning_frames is {}, want at least 1", latest_conditioning_frames);
}

StreamTracker::StreamTracker(std::shared_ptr<const nn::Model> model, const StreamConfig& config)
    : ObjectTracking(std::move(model), config.tracking), config_(config) {
  config_.validate();
}

FrameAnswer StreamTracker::track(const torch::Tensor& picture) {
  torch::InferenceMode guard;
  const auto input = model().network_input(picture);  // checks shape and dtype
  const int height = static_cast<int>(picture.size(0));
  const int width = static_cast<int>(picture.size(1));
  check(next_frame_ == 0 || (height == height_ && width == width_), ErrorCode::kInvalidArgument,
        "frame {} is {}×{} (height × width), want the stream's {}×{}; reset for another size",
        next_frame_, height, width, height_, width_);
  auto encoded = model().encode(input);
  catch_up();

  height_ = height;
  width_ = width;
  held_.push_back(std::move(encoded));
  if (held_.size() > static_cast<std::size_t>(config().cached_frames)) held_.pop_front();
  const FrameIndex frame = next_frame_++;
  std::vector<Object*> tracked;
  for (const auto& object : objects())
    if (!object->bank.conditioning.empty()) tracked.push_back(object.get());
  pass(tracked, frame, /*reverse=*/false);
  auto answer = passed_answer(frame);
  for (Object* object : tracked) prune(*object);
  return answer;
}

FrameAnswer StreamTracker::add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt) {
  check(next_frame_ > 0, ErrorCode::kFailedState,
        "there is no frame to prompt on; track the first one before");
  check(frame >= oldest_held_frame() && frame < next_frame_, ErrorCode::kOutOfRange,
        "frame {} is not held, want {} to {}", frame, oldest_held_frame(), latest_frame());
  return ObjectTracking::add_prompt(id, frame, prompt, height_, width_);
}

void StreamTracker::catch_up() {
  std::vector<std::pair<Object*, FrameIndex>> corrected;
  for (const auto& object : objects())
    if (!object->pending.conditioning.empty())
      corrected.emplace_back(object.get(), object->pending.conditioning.first_frame());
  take_in_pending();
  for (auto& [object, from] : corrected) {
    object->passed[from] = false;
    object->hidden_frames = 0;
    for (FrameIndex frame = from + 1; frame <= latest_frame(); ++frame)
      pass({&object, 1}, frame, /*reverse=*/false);
  }
}

void StreamTracker::prune(Object& object) const {
  // The next frame may be the oldest held one again, after a correction.
  const FrameIndex oldest = policy().oldest_reachable(oldest_held_frame());
  object.bank.tracked.drop_range(0, oldest - 1, -1);
  object.passed.erase(object.passed.begin(), object.passed.lower_bound(oldest_held_frame()));
  const auto conditioning = object.bank.conditioning.frames();
  const auto latest = static_cast<std::size_t>(config_.latest_conditioning_frames);
  for (std::size_t i = 1; i + latest < conditioning.size(); ++i)
    object.bank.conditioning.take(conditioning[i]);
  std::erase_if(object.prompts, [&](const auto& item) {
    return item.first < oldest_held_frame() && !object.bank.conditioning.contains(item.first);
  });
}

void StreamTracker::reset_object(ObjectId id) {
  Object& object = get(id);
  object.prompts.clear();
  object.bank = {};
  object.pending = {};
  object.passed.clear();
  object.hidden_frames = 0;
}

void StreamTracker::reset() {
  mutable_objects().clear();
  held_.clear();
  next_frame_ = 0;
  height_ = width_ = 0;
}

const nn::ImageFeatures& StreamTracker::features(FrameIndex frame) {
  VOSTRACK_ASSERT(frame >= oldest_held_frame() && frame < next_frame_);
  return held_[static_cast<std::size_t>(frame - oldest_held_frame())];
}

}  // namespace vostrack::tracker
