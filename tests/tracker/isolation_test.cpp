// Nothing that happens to one object changes another's masks by a single bit.
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

constexpr Click kElsewhere{50, 38};

struct Alone {
  Alone() {
    scene.click(1, 0);
    once = scene.propagate()[1];
    scene.click(1, 4);
    twice = scene.propagate()[1];
  }
  Scene scene;
  std::map<FrameIndex, torch::Tensor> once, twice;
};

TEST(Isolation, OfAnObjectAddedBefore) {
  const Alone alone;
  Scene scene;
  scene.click(2, 2, kElsewhere);
  scene.click(1, 0);
  EXPECT_TRUE(same_answers(scene.propagate({0, {}, false})[1], alone.once));
  scene.click(1, 4);
  EXPECT_TRUE(same_answers(scene.propagate({0, {}, false})[1], alone.twice));
}

TEST(Isolation, OfAnObjectAddedAndCorrectedInBetween) {
  const Alone alone;
  Scene scene;
  scene.click(1, 0);
  EXPECT_TRUE(same_answers(scene.propagate({0, {}, false})[1], alone.once));
  scene.click(2, 3, kElsewhere);
  scene.click(1, 4);
  scene.click(2, 5, kElsewhere);
  auto both = scene.propagate({0, {}, false});
  EXPECT_TRUE(same_answers(both[1], alone.twice));
  scene.click(2, 6, {10, 10});
  auto corrected = scene.propagate({0, {}, false});
  EXPECT_TRUE(same_answers(corrected[1], alone.twice));
  EXPECT_FALSE(same_answers(corrected[2], both[2])) << "the correction did nothing";
}

TEST(Isolation, OfAnObjectRemoved) {
  const Alone alone;
  Scene scene;
  scene.click(2, 0, kElsewhere);
  scene.click(1, 0);
  scene.propagate({0, {}, false});
  scene.tracker.remove_object(2);
  scene.click(1, 4);
  EXPECT_TRUE(same_answers(scene.propagate({0, {}, false})[1], alone.twice));
}

TEST(Isolation, OfAnObjectWhosePromptsAreCleared) {
  const Alone alone;
  Scene scene;
  scene.click(1, 0);
  scene.click(2, 0, kElsewhere);
  scene.click(2, 4, kElsewhere);
  scene.propagate({0, {}, false});
  scene.tracker.clear_prompts(2, 4);
  scene.click(1, 4);
  EXPECT_TRUE(same_answers(scene.propagate({0, {}, false})[1], alone.twice));
}

TEST(Isolation, OfTwoTrackersOnOneModel) {
  const auto model = small_model();
  Scene first(unbatched(), {}, model), second(unbatched(), {}, model);
  Scene control(unbatched(), {}, model);
  first.click(1, 0);
  second.click(1, 0, kElsewhere);
  control.click(1, 0);
  Answers answers;
  // Turn by turn.
  for (FrameIndex frame = 0; frame < 8; ++frame) {
    answers[1].merge(first.propagate({frame, 0, false})[1]);
    second.propagate({frame, 0, false});
  }
  EXPECT_TRUE(same_answers(answers[1], control.propagate()[1]));
}

TEST(Isolation, OfObjectsInOneBatchIsWithinRounding) {
  const Alone alone;
  TrackerConfig config;
  config.objects_per_batch = 8;
  Scene scene(config);
  scene.click(1, 0);
  scene.click(2, 0, kElsewhere);
  scene.click(3, 0, {30, 30});
  auto together = scene.propagate({0, {}, false});
  for (const auto& [frame, logits] : alone.once) {
    const double scale = logits.abs().max().item<double>();
    EXPECT_LE((together[1].at(frame) - logits).abs().max().item<double>(), 1e-4 * scale) << frame;
  }
}

TEST(Answers, ListAllObjectsInTheOrderOfTheirFirstPrompt) {
  Scene scene;
  scene.click(9, 0);
  scene.click(3, 2);
  const auto answer = scene.click(9, 2);
  ASSERT_EQ(answer.objects.size(), 2U);
  EXPECT_EQ(answer.objects[0].id, 9);
  EXPECT_EQ(answer.objects[1].id, 3);
  const auto alone = scene.click(3, 5);
  EXPECT_EQ(alone.objects[0].output, nullptr);
  EXPECT_TRUE((logits_at_size(alone, 48, 72, false)[0] == kAbsent).all().item<bool>());
}

}  // namespace
}  // namespace vostrack::tracker::test
