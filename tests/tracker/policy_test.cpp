// Other rules of selection than the reference's: what they are told, and what they may do.
#include <torch/torch.h>

#include "support/temporary_folder.hpp"
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

using memory::MemoryBank;
using memory::Selection;
using memory::SelectionContext;

/// The reference's rule, to be bent.
class BentPolicy : public memory::SelectionPolicy {
 public:
  std::string name() const override { return "bent"; }
  Selection select(const MemoryBank& bank, const SelectionContext& context) const override {
    return recent_->select(bank, context);
  }
  std::vector<FrameIndex> out_of_reach(const MemoryBank& bank, FrameIndex frame) const override {
    return recent_->out_of_reach(bank, frame);
  }
  std::int64_t most_in_reach() const override { return recent_->most_in_reach(); }

 private:
  std::shared_ptr<const memory::SelectionPolicy> recent_ =
      memory::make_recent_policy(small_config().model);
};

TrackerConfig with_policy(std::shared_ptr<const memory::SelectionPolicy> policy) {
  auto config = unbatched();
  config.cached_frames = 3;
  config.policy = std::move(policy);
  return config;
}

Prompt click_at(float x, float y) {
  Prompt prompt;
  prompt.clicks = {{x, y}};
  return prompt;
}

/// Leaves out tracked frames of the last tenth of a second, as a motion model might.
class NotTheLatest : public BentPolicy {
 public:
  Selection select(const MemoryBank& bank, const SelectionContext& context) const override {
    auto selection = BentPolicy::select(bank, context);
    std::erase_if(selection.memories, [&](const memory::SelectedMemory& memory) {
      return bank.tracked.contains(memory.frame) && context.time_s - memory.output->time_s < 0.1;
    });
    return selection;
  }
};

TEST(Policy, MayGoByTime) {
  Scene scene(with_policy(std::make_shared<NotTheLatest>()));
  scene.click(1, 0);
  scene.tracker.propagate({1, {}, false}, [&](const FrameAnswer& answer) {
    Frames want{0};
    for (FrameIndex frame = 1; frame <= answer.frame - 3; ++frame) want.push_back(frame);
    EXPECT_EQ(answer.objects[0].output->attended, want) << answer.frame;  // 25 frames a second
    return true;
  });
}

/// Also looks back to the first frames on which there was a choice of masks, however long ago, as a
/// rule would that remembers what resembles the object.
class Distractors : public BentPolicy {
 public:
  static constexpr std::size_t kMost = 3;

  Selection select(const MemoryBank& bank, const SelectionContext& context) const override {
    auto selection = BentPolicy::select(bank, context);
    for (FrameIndex frame : kept(bank))
      if (std::ranges::find(selection.memories, frame, &memory::SelectedMemory::frame) ==
          selection.memories.end())
        selection.memories.push_back({frame, 0, bank.tracked.get(frame)});
    return selection;
  }
  std::vector<FrameIndex> out_of_reach(const MemoryBank& bank, FrameIndex frame) const override {
    auto frames = BentPolicy::out_of_reach(bank, frame);
    std::erase_if(frames, [&](FrameIndex t) { return std::ranges::count(kept(bank), t) > 0; });
    return frames;
  }
  std::int64_t most_in_reach() const override { return BentPolicy::most_in_reach() + kMost; }

  static std::vector<FrameIndex> kept(const MemoryBank& bank) {
    std::vector<FrameIndex> frames;
    for (FrameIndex t : bank.tracked.frames()) {
      const bool choice = bank.tracked.get(t)->proposals[0][1][0].item<float>() != 0;
      if (choice && frames.size() < kMost) frames.push_back(t);
    }
    return frames;
  }
};

TEST(Policy, MayKeepWhatIsLongAgoInAStream) {
  SquareClip clip;
  clip.frames = 60;
  ClipSource source(clip, nullptr);
  StreamTracker tracker(small_model(), {with_policy(std::make_shared<Distractors>()), 4});
  std::vector<FrameIndex> attended;
  std::size_t most = 0;
  for (FrameIndex frame = 0; frame < 60; ++frame) {
    const auto answer = track(tracker, source, frame);
    if (frame == 0) tracker.add_prompt(1, 0, click_at(12, 12));
    if (frame == 59) attended = answer.objects[0].output->attended;
    most = std::max(most, tracker.objects()[0]->bank.tracked.size());
  }
  const auto kept = Distractors::kept(tracker.objects()[0]->bank);
  ASSERT_EQ(kept.size(), Distractors::kMost);
  EXPECT_LT(kept.front(), 30);
  for (FrameIndex frame : kept) EXPECT_EQ(std::ranges::count(attended, frame), 1) << frame;
  EXPECT_LE(most, static_cast<std::size_t>(Distractors().most_in_reach() + 3));
}

TEST(Policy, IsToldWhichMasksWereProposed) {
  Scene scene;
  const auto proposals = scene.tracker.propose(1, 0, click_at(20, 12));
  ASSERT_EQ(proposals.size(), 3U);
  const auto answer = scene.tracker.add_prompt(1, 0, click_at(20, 12));
  const auto described = answer.objects[0].output->proposals;
  ASSERT_EQ(described.sizes().vec(), (std::vector<std::int64_t>{1, 3, 5}));
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto& output = *proposals[static_cast<std::size_t>(i)].output;
    EXPECT_EQ(described[0][i][0].item<float>(), output.predicted_iou.item<float>());
    const auto pixels = torch::nonzero(output.mask_logits[0][0] > 0);  // (N, 2), y before x
    if (pixels.size(0) == 0) {
      EXPECT_TRUE((described[0][i].slice(0, 1) == 0).all().item<bool>());
      continue;
    }
    const auto first = std::get<0>(pixels.min(0)), last = std::get<0>(pixels.max(0));
    const auto box = torch::stack({first[1], first[0], last[1] + 1, last[0] + 1});
    EXPECT_TRUE(same(described[0][i].slice(0, 1), box.to(torch::kFloat32))) << i;
  }
  // A mask prompt leaves nothing to choose from.
  Prompt mask;
  mask.mask = scene.clip.mask(0, 0);
  const auto alone = scene.tracker.add_prompt(2, 0, mask).objects[1].output->proposals;
  EXPECT_EQ(alone[0][0][0].item<float>(), 1);
  EXPECT_TRUE((alone[0].slice(0, 1) == 0).all().item<bool>());
}

TEST(Policy, IsNotMixedUpByASavedSession) {
  const vostrack::test::TemporaryFolder folder;
  Scene scene(with_policy(std::make_shared<NotTheLatest>()));
  scene.click(1, 0);
  save_to(scene.tracker, folder / "s");
  Scene usual;
  expect_error(ErrorCode::kInvalidArgument, "by the policy bent",
               [&] { usual.tracker.restore(read_session(folder / "s")); });
}

/// Fails after a number of selections.
class Failing : public BentPolicy {
 public:
  Selection select(const MemoryBank& bank, const SelectionContext& context) const override {
    if (left && --*left == 0) throw Error(ErrorCode::kOutOfMemory, "no more");
    return BentPolicy::select(bank, context);
  }
  mutable std::optional<int> left;
};

TEST(Stream, CatchesUpOnceMoreAfterItFailedHalfWay) {
  SquareClip clip;
  clip.frames = 12;
  ClipSource source(clip, nullptr);
  const auto answers = [&](std::optional<int> selections) {
    const auto policy = std::make_shared<Failing>();
    StreamTracker tracker(small_model(), {with_policy(policy), 4});
    for (FrameIndex frame = 0; frame < 8; ++frame) {
      track(tracker, source, frame);
      if (frame == 0)
        for (const ObjectId id : {1, 2}) tracker.add_prompt(id, 0, click_at(12 * float(id), 12));
    }
    for (const ObjectId id : {1, 2}) tracker.add_prompt(id, 5, click_at(30, 30));
    if (selections) {
      policy->left = selections;
      expect_error(ErrorCode::kOutOfMemory, "no more", [&] { track(tracker, source, 8); });
      EXPECT_EQ(tracker.latest_frame(), 7);
      policy->left.reset();
    }
    std::vector<torch::Tensor> logits;
    for (FrameIndex frame = 8; frame < 12; ++frame)
      for (const auto& object : track(tracker, source, frame).objects)
        logits.push_back(object.output->mask_logits);
    return logits;
  };
  const auto want = answers(std::nullopt);
  // Frames 6 and 7 of both objects, then frame 8.
  for (int selections = 1; selections <= 6; ++selections) {
    const auto got = answers(selections);
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < want.size(); ++i)
      EXPECT_TRUE(same(got[i], want[i])) << "failed at selection " << selections;
  }
}

}  // namespace
}  // namespace vostrack::tracker::test
