#include "tracker/stream_tracker.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "tracker/sketch.hpp"

namespace vostrack::tracker {

void StreamConfig::validate() const {
  tracking.validate();
  check(latest_conditioning_frames >= 1, ErrorCode::kInvalidArgument,
        "latest_conditioning_frames is {}, want at least 1", latest_conditioning_frames);
}

nlohmann::json StreamConfig::to_json() const {
  auto json = tracking.to_json();
  json["latest_conditioning_frames"] = latest_conditioning_frames;
  return json;
}

void StreamConfig::read_json(const nlohmann::json& json, const std::string& origin) {
  StreamConfig read = *this;
  read.tracking.read_json(json, origin);
  try {
    json.at("latest_conditioning_frames").get_to(read.latest_conditioning_frames);
    read.validate();
  } catch (const nlohmann::json::exception& error) {
    fail(ErrorCode::kCorruptFile, "{}: the configuration cannot be read: {}", origin, error.what());
  } catch (const Error& error) {
    fail(ErrorCode::kCorruptFile, "{}: {}", origin, error.what());
  }
  *this = read;
}

StreamTracker::StreamTracker(std::shared_ptr<const nn::Model> model, const StreamConfig& config)
    : ObjectTracking(std::move(model), config.tracking), config_(config) {
  config_.validate();
}

FrameAnswer StreamTracker::track(const torch::Tensor& picture, double time_s) {
  torch::InferenceMode guard;
  const auto begun = Clock::now();
  allow_tracking();
  nn::Model::check_picture(picture);
  const int height = static_cast<int>(picture.size(0));
  const int width = static_cast<int>(picture.size(1));
  check(next_frame_ == 0 || (height == height_ && width == width_), ErrorCode::kInvalidArgument,
        "frame {} is {}×{} (height × width), want the stream's {}×{}; reset for another size",
        next_frame_, height, width, height_, width_);
  check(std::isfinite(time_s), ErrorCode::kInvalidArgument,
        "time of frame {} is {}, want a number", next_frame_, time_s);
  check(held_.empty() || time_s >= held_.back().time_s, ErrorCode::kInvalidArgument,
        "time of frame {} is {} s, want at least the last frame's, {} s; reset for another stream",
        next_frame_, time_s, held_.empty() ? 0.0 : held_.back().time_s);
  catch_up();

  HeldFrame& held = held_.emplace_back();
  held.picture = may_hold() ? picture.clone() : picture;
  held.time_s = time_s;
  const FrameIndex frame = next_frame_++;
  std::vector<Object*> tracked;
  for (const auto& object : objects())
    if (!object->bank.conditioning.empty()) tracked.push_back(object.get());
  try {
    if (may_hold()) sketches_[frame] = sketch_of(picture);
    if (!hold(tracked, frame, /*reverse=*/false)) {
      features(frame);
      check_not_cancelled();
      pass(tracked, frame, /*reverse=*/false);
    }
  } catch (...) {
    sketches_.erase(frame);
    held_.pop_back();
    --next_frame_;
    throw;
  }
  height_ = height;
  width_ = width;
  if (held_.size() > static_cast<std::size_t>(config().cached_frames)) held_.pop_front();
  auto answer = passed_answer(frame);
  for (Object* object : tracked) prune(*object);
  prune_sketches();
  frame_took(Clock::now() - begun);
  return answer;
}

FrameAnswer StreamTracker::add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt) {
  check_held(frame);
  return ObjectTracking::add_prompt(id, frame, prompt, height_, width_);
}

std::vector<ObjectAnswer> StreamTracker::propose(ObjectId id, FrameIndex frame,
                                                 const Prompt& prompt) {
  check_held(frame);
  return ObjectTracking::propose(id, frame, prompt, height_, width_);
}

void StreamTracker::check_held(FrameIndex frame) const {
  check(next_frame_ > 0, ErrorCode::kFailedState,
        "there is no frame to prompt on; track the first one before");
  check(frame >= oldest_held_frame() && frame < next_frame_, ErrorCode::kOutOfRange,
        "frame {} is not held, want {} to {}", frame, oldest_held_frame(), latest_frame());
}

void StreamTracker::catch_up() {
  std::vector<std::pair<Object*, FrameIndex>> corrected;
  std::vector<Object> before;  // outputs are shared, so these take next to nothing
  for (const auto& object : objects())
    if (!object->pending.conditioning.empty()) {
      corrected.emplace_back(object.get(), object->pending.conditioning.first_frame());
      before.push_back(*object);
    }
  take_in_pending();
  try {
    for (auto& [object, from] : corrected) {
      object->passed[from] = {};
      for (FrameIndex frame = from + 1; frame <= latest_frame(); ++frame)
        pass({&object, 1}, frame, /*reverse=*/false);
    }
  } catch (...) {
    for (std::size_t i = 0; i < corrected.size(); ++i) *corrected[i].first = std::move(before[i]);
    throw;
  }
}

void StreamTracker::prune(Object& object) const {
  // The next frame may be the oldest held one again, after a correction.
  for (FrameIndex frame : policy().out_of_reach(object.bank, oldest_held_frame()))
    object.bank.tracked.drop(frame);
  object.passed.erase(object.passed.begin(), object.passed.lower_bound(oldest_held_frame()));
  auto& tracked = object.bank.tracked;
  const FrameIndex oldest = tracked.empty() ? latest_frame() : tracked.first_frame();
  object.bank.forget_held(std::min(oldest, oldest_held_frame()));
  auto conditioning = object.bank.conditioning.frames();
  std::erase_if(conditioning, [&](FrameIndex t) { return object.bank.permanent.contains(t); });
  const auto latest = static_cast<std::size_t>(config_.latest_conditioning_frames);
  for (std::size_t i = 1; i + latest < conditioning.size(); ++i)
    object.bank.conditioning.drop(conditioning[i]);
  std::erase_if(object.prompts, [&](const auto& item) {
    return item.first < oldest_held_frame() && !object.bank.conditioning.contains(item.first);
  });
}

torch::Tensor StreamTracker::sketch(FrameIndex frame) {
  const auto it = sketches_.find(frame);
  return it == sketches_.end() ? torch::Tensor() : it->second;
}

void StreamTracker::prune_sketches() {
  std::erase_if(sketches_, [&](const auto& item) {
    return item.first < oldest_held_frame() &&
           std::ranges::none_of(
               objects(),
               [&](const auto& object) {
                 return object->source_before(next_frame_, /*reverse=*/false) == item.first;
               });
  });
}

void StreamTracker::reset_object(ObjectId id) {
  Object& object = get(id);
  object.prompts.clear();
  object.bank = {};
  object.pending = {};
  object.passed.clear();
}

void StreamTracker::reset() {
  mutable_objects().clear();
  held_.clear();
  sketches_.clear();
  next_frame_ = 0;
  height_ = width_ = 0;
}

const nn::ImageFeatures& StreamTracker::features(FrameIndex frame) {
  HeldFrame& wanted = held_.at(static_cast<std::size_t>(frame - oldest_held_frame()));
  if (wanted.picture.defined()) {
    wanted.features = model().encode(model().network_input(wanted.picture));
    wanted.picture.reset();
  }
  return wanted.features;
}

std::int64_t StreamTracker::picture_bytes() const {
  std::int64_t bytes = 0;
  for (const HeldFrame& frame : held_)
    bytes += frame.picture.defined() ? static_cast<std::int64_t>(frame.picture.nbytes())
                                     : nn::bytes_of(frame.features);
  return bytes;
}

void StreamTracker::make_room(FrameIndex /*frame*/, std::int64_t bytes, bool new_object) {
  if (!config().max_bytes) return;
  // What all objects will occupy once their memories are full; tracking never takes more.
  const std::int64_t reach = policy().most_in_reach() + config().cached_frames;
  const std::int64_t outputs_per_object = reach + 1 + config_.latest_conditioning_frames;
  std::int64_t count = static_cast<std::int64_t>(objects().size()) + (new_object ? 1 : 0);
  std::int64_t needed = picture_bytes() + bytes + count * outputs_per_object * output_bytes();
  for (const auto& object : objects())
    needed += static_cast<std::int64_t>(object->bank.permanent.size()) * output_bytes();
  check(needed <= *config().max_bytes, ErrorCode::kOutOfMemory,
        "{} objects may come to occupy {} bytes, but max_bytes is {}; remove one or raise it",
        count, needed, *config().max_bytes);
}

void StreamTracker::copy_from(const StreamTracker& other) {
  copy_objects(other);
  held_ = other.held_;
  sketches_ = other.sketches_;
  next_frame_ = other.next_frame_;
  height_ = other.height_;
  width_ = other.width_;
}

}  // namespace vostrack::tracker
