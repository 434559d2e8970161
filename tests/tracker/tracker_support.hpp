/// A tracker on the moving squares, and ways to look at what it keeps.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <tuple>
#include <vector>

#include "support/errors.hpp"
#include "support/moving_square.hpp"
#include "support/small_model.hpp"
#include "support/tensors.hpp"
#include "tracker/stream_tracker.hpp"
#include "tracker/video_tracker.hpp"

namespace vostrack::tracker::test {

using vostrack::test::expect_error;
using vostrack::test::same;
using vostrack::test::small_config;
using vostrack::test::small_model;
using vostrack::test::SourceLog;
using vostrack::test::SquareClip;

using Frames = std::vector<FrameIndex>;

class ClipSource : public FrameSource {
 public:
  ClipSource(const SquareClip& clip, SourceLog* log) : video_(clip, log) {}
  std::int64_t frame_count() const override { return video_.frame_count(); }
  int height() const override { return video_.height(); }
  int width() const override { return video_.width(); }
  double time_s(std::int64_t frame) const override { return video_.pts_s(frame); }
  torch::Tensor read(std::int64_t frame) override {
    auto image = video_.read(frame).image;
    return torch::from_blob(image.rgb.data(), {image.height, image.width, 3}, torch::kUInt8)
        .clone();
  }

 private:
  vostrack::test::SquareVideo video_;
};

/// Pushes a clip's frame.
inline FrameAnswer track(StreamTracker& tracker, ClipSource& source, FrameIndex frame) {
  return tracker.track(source.read(frame), source.time_s(frame));
}

/// Logits at a quarter of the network's size: [object][frame].
using Answers = std::map<ObjectId, std::map<FrameIndex, torch::Tensor>>;

/// Objects one by one: their numbers are then the same to the bit whichever others there are.
inline TrackerConfig unbatched() {
  TrackerConfig config;
  config.objects_per_batch = 1;
  return config;
}

inline void save_to(const VideoTracker& tracker, const std::string& path) {
  tracker.save(path, {});
}

inline nn::Archive read_session(const std::string& path) {
  return nn::read_archive(path, VideoTracker::kArchiveKind, VideoTracker::kArchiveVersion);
}

struct Scene {
  explicit Scene(TrackerConfig config = unbatched(), SquareClip clip_in = {},
                 std::shared_ptr<const nn::Model> model = small_model())
      : clip(clip_in), source(clip, &log), tracker(std::move(model), source, config) {}

  FrameAnswer click(ObjectId id, FrameIndex frame) { return click(id, frame, {20, 12}); }
  FrameAnswer click(ObjectId id, FrameIndex frame, Click where) {
    Prompt prompt;
    prompt.clicks = {where};
    return tracker.add_prompt(id, frame, prompt);
  }

  Answers propagate(const Range& range = {}) {
    Answers answers;
    tracker.propagate(range, [&](const FrameAnswer& answer) {
      for (const auto& object : answer.objects)
        answers[object.id][answer.frame] = object.output->mask_logits;
      return true;
    });
    return answers;
  }

  const VideoTracker::Object& object(std::size_t index = 0) const {
    return *tracker.objects().at(index);
  }

  SquareClip clip;
  SourceLog log;
  ClipSource source;
  VideoTracker tracker;
};

inline ::testing::AssertionResult same_answers(const std::map<FrameIndex, torch::Tensor>& got,
                                               const std::map<FrameIndex, torch::Tensor>& want) {
  if (got.size() != want.size())
    return ::testing::AssertionFailure() << got.size() << " frames, want " << want.size();
  for (const auto& [frame, logits] : want) {
    if (got.count(frame) == 0) return ::testing::AssertionFailure() << "no frame " << frame;
    if (auto result = same(got.at(frame), logits); !result)
      return ::testing::AssertionFailure() << "frame " << frame << ": " << result.message();
  }
  return ::testing::AssertionSuccess();
}

inline Frames frames_of(const std::map<FrameIndex, torch::Tensor>& answers) {
  Frames frames;
  for (const auto& [frame, logits] : answers) frames.push_back(frame);
  return frames;
}

/// Everything that a tracker keeps of its objects, for comparing before and after. Outputs never
/// change once stored, so it is enough to see that they are the same ones.
using StoreState = std::vector<std::pair<FrameIndex, OutputPtr>>;
using PromptState = std::tuple<FrameIndex, bool, std::size_t, bool>;
using ObjectState = std::tuple<ObjectId, std::vector<PromptState>, std::vector<StoreState>,
                               std::map<FrameIndex, ObjectTracking::Passed>>;

inline StoreState state_of(const memory::OutputStore& store) {
  StoreState state;
  for (FrameIndex frame : store.frames_in_order_of_storing())
    state.emplace_back(frame, store.get(frame));
  return state;
}

inline std::vector<ObjectState> state_of(const ObjectTracking& tracker) {
  std::vector<ObjectState> state;
  for (const auto& object : tracker.objects()) {
    std::vector<PromptState> prompts;
    for (const auto& [frame, given] : object->prompts)
      prompts.emplace_back(frame, given.mask, given.clicks.size(), given.box.has_value());
    state.emplace_back(
        object->id, prompts,
        std::vector<StoreState>{state_of(object->bank.conditioning), state_of(object->bank.tracked),
                                state_of(object->pending.conditioning),
                                state_of(object->pending.tracked)},
        object->passed);
  }
  return state;
}

}  // namespace vostrack::tracker::test
