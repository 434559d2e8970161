// What must hold for a stream whatever is done to it, tried on random operations.
#include <random>

#include "support/temporary_folder.hpp"
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

constexpr FrameIndex kFrames = 20;  ///< more than pointers are looked back to
constexpr FrameIndex kHeld = 4;
constexpr ObjectId kObjects = 3;

struct Operation {
  enum Kind { kClick, kBox, kMask, kRemove, kReset, kKeep, kWrong } kind = kClick;
  ObjectId object = 1;
  FrameIndex back = 0;  ///< frames before the latest
  float x = 0, y = 0;
};
/// What is done after each frame.
using Plan = std::vector<std::vector<Operation>>;

Plan random_plan(std::uint32_t seed, const std::vector<Operation::Kind>& kinds,
                 FrameIndex most_back = kHeld - 1) {
  std::mt19937 random(seed);
  const auto below = [&](int limit) { return static_cast<int>(random() % unsigned(limit)); };
  Plan plan(static_cast<std::size_t>(kFrames));
  for (ObjectId object = 1; object <= kObjects; ++object)
    plan[0].push_back({Operation::kClick, object, 0, float(below(60)), float(below(40))});
  for (FrameIndex frame = 1; frame < kFrames; ++frame)
    for (int count = below(3); count > 0; --count)
      plan[static_cast<std::size_t>(frame)].push_back(
          {kinds[static_cast<std::size_t>(below(static_cast<int>(kinds.size())))],
           1 + below(kObjects), std::min<FrameIndex>(below(static_cast<int>(most_back) + 1), frame),
           float(below(60)), float(below(40))});
  return plan;
}

const std::vector<Operation::Kind> kAnything = {
    Operation::kClick,  Operation::kClick, Operation::kBox,  Operation::kMask,
    Operation::kRemove, Operation::kReset, Operation::kKeep, Operation::kWrong};
const std::vector<Operation::Kind> kPrompts = {Operation::kClick, Operation::kBox,
                                               Operation::kMask};

Prompt prompt_of(const Operation& operation, const SquareClip& clip, FrameIndex frame) {
  Prompt prompt;
  if (operation.kind == Operation::kMask) {
    prompt.mask = clip.mask(static_cast<int>(operation.object) % 2, frame);
    return prompt;
  }
  prompt.clicks = {{operation.x, operation.y}};
  if (operation.kind == Operation::kBox)
    prompt.box = Box{operation.x, operation.y, operation.x + 9, operation.y + 7};
  return prompt;
}

/// Tracked logits of all objects, frame by frame.
using History = std::map<ObjectId, std::map<FrameIndex, torch::Tensor>>;

struct Trial {
  explicit Trial(int objects_per_batch = 1) : source(clip(), nullptr) {
    TrackerConfig tracking;
    tracking.objects_per_batch = objects_per_batch;
    tracking.cached_frames = kHeld;
    config = {tracking, /*latest_conditioning_frames=*/static_cast<int>(kFrames)};
    tracker.emplace(small_model(), config);
  }
  static SquareClip clip() {
    SquareClip clip;
    clip.frames = kFrames;
    return clip;
  }

  void apply(const Operation& operation) {
    const FrameIndex frame = tracker->latest_frame() - operation.back;
    switch (operation.kind) {
      case Operation::kRemove:
        return tracker->remove_object(operation.object);
      case Operation::kReset:
        return tracker->reset_object(operation.object);
      case Operation::kKeep:
        return tracker->set_permanent(operation.object, frame, operation.x < 40);
      case Operation::kWrong:
        tracker->add_prompt(operation.object, frame + kHeld,
                            prompt_of(operation, clip(), frame));
        return;
      default:
        tracker->add_prompt(operation.object, frame, prompt_of(operation, clip(), frame));
    }
  }

  /// Frames [first, last), each followed by what the plan says.
  const History& run(const Plan& plan, FrameIndex first = 0, FrameIndex last = kFrames) {
    for (FrameIndex frame = first; frame < last; ++frame) {
      for (const auto& object : track(*tracker, source, frame).objects)
        if (object.output) history[object.id][frame] = object.output->mask_logits;
      for (const Operation& operation : plan[static_cast<std::size_t>(frame)]) {
        const auto before = state_of(*tracker);
        try {
          apply(operation);
        } catch (const Error& error) {
          EXPECT_NE(static_cast<int>(error.code()), static_cast<int>(ErrorCode::kInternal))
              << error.what();
          EXPECT_EQ(state_of(*tracker), before) << error.what();
        }
      }
    }
    return history;
  }

  ClipSource source;
  StreamConfig config;
  std::optional<StreamTracker> tracker;
  History history;
};

::testing::AssertionResult equal(const History& got, const History& want, double relative = 0) {
  if (got.size() != want.size())
    return ::testing::AssertionFailure() << got.size() << " objects, want " << want.size();
  for (const auto& [id, frames] : want) {
    if (got.count(id) == 0 || frames_of(got.at(id)) != frames_of(frames))
      return ::testing::AssertionFailure() << "object " << id << " on other frames";
    for (const auto& [frame, logits] : frames) {
      const double tolerance = relative * vostrack::test::largest(logits);
      if (auto result = vostrack::test::near(got.at(id).at(frame), logits, tolerance); !result)
        return ::testing::AssertionFailure()
               << "object " << id << ", frame " << frame << ": " << result.message();
    }
  }
  return ::testing::AssertionSuccess();
}

class RandomStream : public ::testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomStream, ::testing::Values(1, 2, 3));

TEST_P(RandomStream, EqualsAVideoTrackedForward) {
  const auto plan = random_plan(GetParam(), kPrompts, /*most_back=*/0);
  Trial stream;
  const auto& got = stream.run(plan);
  Scene video(unbatched(), Trial::clip());
  History want;
  for (FrameIndex frame = 0; frame < kFrames; ++frame) {
    if (frame > 0)
      for (auto& [id, answers] : video.propagate({frame, 0, false})) want[id].merge(answers);
    for (const Operation& operation : plan[static_cast<std::size_t>(frame)])
      video.tracker.add_prompt(operation.object, frame,
                               prompt_of(operation, Trial::clip(), frame));
  }
  EXPECT_TRUE(equal(got, want));
}

TEST_P(RandomStream, LeavesAnObjectAsItIsAlone) {
  const auto plan = random_plan(GetParam() + 100, kAnything);
  auto own = plan;
  for (auto& operations : own)
    std::erase_if(operations, [](const Operation& operation) { return operation.object != 1; });
  Trial together, alone;
  auto got = together.run(plan);
  EXPECT_TRUE(equal({{1, got[1]}}, alone.run(own)));
}

TEST_P(RandomStream, GoesOnAfterSavingAsIfNothingHadHappened) {
  const auto plan = random_plan(GetParam() + 200, kAnything);
  const FrameIndex middle = 6 + GetParam() % 5;
  Trial whole, resumed;
  whole.run(plan, 0, middle);
  const vostrack::test::TemporaryFolder folder;
  whole.tracker->save(folder / "s", {});
  whole.history.clear();
  resumed.tracker->restore(nn::read_archive(folder / "s", StreamTracker::kArchiveKind,
                                            StreamTracker::kArchiveVersion));
  EXPECT_TRUE(equal(resumed.run(plan, middle), whole.run(plan, middle)));
  ASSERT_FALSE(whole.history.empty());
}

TEST_P(RandomStream, GivesTheSameInBatches) {
  const auto plan = random_plan(GetParam() + 300, kAnything);
  Trial one_by_one, batched(/*objects_per_batch=*/8);
  EXPECT_TRUE(equal(batched.run(plan), one_by_one.run(plan), 1e-4));
}

TEST_P(RandomStream, GivesTheSameAfterAReset) {
  Trial fresh, used;
  used.run(random_plan(GetParam() + 400, kAnything), 0, 7);
  used.tracker->reset();
  used.history.clear();
  const auto plan = random_plan(GetParam() + 500, kAnything);
  EXPECT_TRUE(equal(used.run(plan), fresh.run(plan)));
}

}  // namespace
}  // namespace vostrack::tracker::test
