#include "tracker/video_tracker.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/check.hpp"
#include "memory/store_archive.hpp"
#include "tracker/sketch.hpp"

namespace vostrack::tracker {

VideoTracker::VideoTracker(std::shared_ptr<const nn::Model> model, FrameSource& source,
                           const TrackerConfig& config)
    : ObjectTracking(std::move(model), config), source_(source) {
  check(source_.frame_count() > 0 && source_.height() > 0 && source_.width() > 0,
        ErrorCode::kInvalidArgument, "the source has {} frames of {}×{} (height × width)",
        source_.frame_count(), source_.height(), source_.width());
}

FrameAnswer VideoTracker::add_prompt(ObjectId id, FrameIndex frame, const Prompt& prompt) {
  begin_change();
  check_frame(frame);
  return ObjectTracking::add_prompt(id, frame, prompt, source_.height(), source_.width());
}

std::vector<ObjectAnswer> VideoTracker::propose(ObjectId id, FrameIndex frame,
                                                const Prompt& prompt) {
  check_frame(frame);
  return ObjectTracking::propose(id, frame, prompt, source_.height(), source_.width());
}

FrameAnswer VideoTracker::clear_prompts(ObjectId id, FrameIndex frame) {
  begin_change();
  check_frame(frame);
  return ObjectTracking::clear_prompts(id, frame);
}

void VideoTracker::remove_object(ObjectId id) {
  begin_change();
  ObjectTracking::remove_object(id);
}

void VideoTracker::set_permanent(ObjectId id, FrameIndex frame, bool permanent) {
  begin_change();
  check_frame(frame);
  ObjectTracking::set_permanent(id, frame, permanent);
}

ObjectId VideoTracker::import_object(const std::string& path, std::optional<ObjectId> id) {
  begin_change();
  return ObjectTracking::import_object(path, id);
}

void VideoTracker::reset() {
  begin_change();
  mutable_objects().clear();
}

Propagation VideoTracker::begin(const Range& range) {
  torch::InferenceMode guard;
  check(!handing_over_, ErrorCode::kFailedState, "frames are being handed over already");
  const FrameIndex last_frame = source_.frame_count() - 1;
  if (range.start) check_frame(*range.start);
  check(!range.count || *range.count >= 0, ErrorCode::kInvalidArgument,
        "number of frames to propagate is {}, want at least 0", range.count.value_or(0));
  check(!objects().empty(), ErrorCode::kFailedState,
        "there is no object to track; add a prompt first");
  for (const auto& object : objects())
    check(object->prompted(), ErrorCode::kFailedState,
          "object {} has no prompted frame left to track from; add a prompt or remove it",
          object->id);
  take_in_pending();

  FrameIndex start = last_frame;
  if (range.start) {
    start = *range.start;
  } else {
    for (const auto& object : objects())
      start = std::min(start, object->bank.conditioning.first_frame());
    start = std::max<FrameIndex>(start, 0);  // imported memories lie before the video
  }
  keep_within_bounds(start);
  const FrameIndex most = std::min(range.count.value_or(last_frame), last_frame);
  Propagation propagation;
  propagation.next = start;
  propagation.last =
      range.reverse ? std::max<FrameIndex>(start - most, 0) : std::min(start + most, last_frame);
  propagation.reverse = range.reverse;
  propagation.done = range.reverse && start == 0;
  propagation.changes = changes_;
  allow_tracking();
  return propagation;
}

std::optional<FrameAnswer> VideoTracker::next(Propagation& propagation) {
  torch::InferenceMode guard;
  if (propagation.done) return std::nullopt;
  check(propagation.changes == changes_, ErrorCode::kFailedState,
        "objects were changed since this propagation began; begin another");
  const auto begun = Clock::now();
  const FrameIndex frame = propagation.next;
  std::vector<Object*> all;
  for (const auto& object : objects()) all.push_back(object.get());
  try {
    check_not_cancelled();
    if (!hold(all, frame, propagation.reverse)) pass(all, frame, propagation.reverse);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    propagation.done = true;
    return std::nullopt;
  }
  auto answer = passed_answer(frame);
  propagation.done = frame == propagation.last;
  propagation.next += propagation.reverse ? -1 : 1;
  keep_within_bounds(frame);
  frame_took(Clock::now() - begun);
  return answer;
}

std::int64_t VideoTracker::propagate(const Range& range,
                                     const std::function<bool(const FrameAnswer&)>& on_frame) {
  auto propagation = begin(range);
  handing_over_ = true;
  const std::unique_ptr<bool, void (*)(bool*)> handed_over(&handing_over_,
                                                           [](bool* flag) { *flag = false; });
  std::int64_t done = 0;
  while (const auto answer = next(propagation)) {
    ++done;
    if (!on_frame(*answer)) break;
  }
  return done;
}

void VideoTracker::save(const std::string& path, nlohmann::json document) const {
  nn::ArchiveWriter writer;
  writer.document = std::move(document);
  save_objects(writer);
  writer.write(path, kArchiveKind, kArchiveVersion);
}

void VideoTracker::restore(const nn::Archive& archive) {
  torch::InferenceMode guard;
  memory::check_model(archive, model());
  read_objects(archive, source_.frame_count());
}

void VideoTracker::copy_from(const VideoTracker& other) {
  copy_objects(other);
  scratch_ = other.scratch_;
}

void VideoTracker::begin_change() {
  check(!handing_over_, ErrorCode::kFailedState,
        "objects cannot change while frames are handed over; stop first, by returning false");
  ++changes_;
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
    cache_.emplace_front(frame, model().encode(model().network_input(read(frame))));
    while (cache_.size() > static_cast<std::size_t>(config().cached_frames)) cache_.pop_back();
  }
  return cache_.front().second;
}

torch::Tensor VideoTracker::sketch(FrameIndex frame) {
  constexpr std::size_t kSketches = 4;  // of this frame and of those that are shown on it
  auto it = std::ranges::find(sketches_, frame, &std::pair<FrameIndex, torch::Tensor>::first);
  if (it != sketches_.end()) {
    sketches_.splice(sketches_.begin(), sketches_, it);
  } else {
    sketches_.emplace_front(frame, sketch_of(read(frame)));
    if (sketches_.size() > kSketches) sketches_.pop_back();
  }
  return sketches_.front().second;
}

const torch::Tensor& VideoTracker::read(FrameIndex frame) {
  if (picture_.first != frame || !picture_.second.defined()) {
    picture_.second.reset();  // reading may take its bytes away
    picture_ = {frame, source_.read(frame)};
  }
  return picture_.second;
}

std::int64_t VideoTracker::picture_bytes() const {
  std::int64_t bytes = 0;
  for (const auto& [frame, picture] : cache_) bytes += nn::bytes_of(picture);
  return bytes;
}

void VideoTracker::make_room(FrameIndex frame, std::int64_t bytes, bool /*new_object*/) {
  check(
      !config().max_bytes || spill(frame, *config().max_bytes - bytes), ErrorCode::kOutOfMemory,
      "prompted frames and encoded pictures occupy {} bytes and {} more are needed, but max_bytes "
      "is {}; take prompts back or raise it",
      object_bytes() + picture_bytes(), bytes, config().max_bytes.value_or(0));
}

void VideoTracker::keep_within_bounds(FrameIndex frame) {
  if (!config().max_bytes) return;
  std::int64_t tracked = 0;
  for (const auto& object : objects()) tracked += object->bank.tracked.bytes();
  const std::int64_t others = object_bytes() + picture_bytes() - tracked;
  // Long before the ceiling: what lies far away is seldom needed, and prompts want room.
  spill(frame, std::min(*config().max_bytes, others + *config().max_bytes / 4));
}

bool VideoTracker::spill(FrameIndex frame, std::int64_t most) {
  std::int64_t excess = object_bytes() + picture_bytes() - most;
  while (excess > 0) {
    memory::OutputStore* store = nullptr;
    FrameIndex farthest = 0;
    for (const auto& object : mutable_objects())
      if (const auto candidate = object->bank.tracked.farthest_in_memory(frame))
        if (!store || std::abs(*candidate - frame) > std::abs(farthest - frame)) {
          store = &object->bank.tracked;
          farthest = *candidate;
        }
    if (!store) return false;
    if (!scratch_) scratch_ = std::make_shared<memory::Scratch>(config().scratch_folder);
    const auto before = store->bytes();
    store->spill(farthest, scratch_);
    excess -= before - store->bytes();
  }
  return true;
}

}  // namespace vostrack::tracker
