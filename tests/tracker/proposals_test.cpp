#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

Prompt click(std::optional<int> candidate = std::nullopt) {
  Prompt prompt;
  prompt.clicks = {{20, 12}};
  prompt.candidate = candidate;
  return prompt;
}

TEST(Proposals, AreRankedAndTheFirstIsTheAnswer) {
  Scene scene;
  const auto before = state_of(scene.tracker);
  const auto proposals = scene.tracker.propose(1, 0, click());
  EXPECT_EQ(state_of(scene.tracker), before);
  ASSERT_EQ(proposals.size(), 3U);
  for (std::size_t i = 1; i < 3; ++i)
    EXPECT_GE(proposals[i - 1].output->predicted_iou.item<float>(),
              proposals[i].output->predicted_iou.item<float>());
  const auto answer = scene.tracker.add_prompt(1, 0, click());
  EXPECT_TRUE(same(answer.objects[0].output->mask_logits, proposals[0].output->mask_logits));
  EXPECT_TRUE(same(answer.objects[0].output->pointer, proposals[0].output->pointer));
}

TEST(Proposals, CanBeChosen) {
  std::vector<std::map<FrameIndex, torch::Tensor>> tracked;
  for (int candidate = 0; candidate < 3; ++candidate) {
    Scene scene;
    const auto proposals = scene.tracker.propose(1, 0, click());
    const auto answer = scene.tracker.add_prompt(1, 0, click(candidate));
    const auto& want = *proposals[static_cast<std::size_t>(candidate)].output;
    EXPECT_TRUE(same(answer.objects[0].output->mask_logits, want.mask_logits));
    EXPECT_TRUE(same(answer.objects[0].output->pointer, want.pointer));
    tracked.push_back(scene.propagate()[1]);
  }
  EXPECT_FALSE(same_answers(tracked[1], tracked[0]));
  EXPECT_FALSE(same_answers(tracked[2], tracked[1]));
}

TEST(Proposals, AreOneWhereThereIsNoChoice) {
  Scene scene;
  auto prompt = click();
  prompt.clicks.push_back({50, 40, false});
  EXPECT_EQ(scene.tracker.propose(1, 0, prompt).size(), 1U);
  Prompt mask;
  mask.mask = scene.clip.mask(0, 0);
  EXPECT_EQ(scene.tracker.propose(1, 0, mask).size(), 1U);
  const auto before = state_of(scene.tracker);
  mask.candidate = 1;
  expect_error(ErrorCode::kInvalidArgument, "only one answer",
               [&] { scene.tracker.add_prompt(1, 0, mask); });
  expect_error(ErrorCode::kInvalidArgument, "candidate is 3",
               [&] { scene.tracker.add_prompt(1, 0, click(3)); });
  expect_error(ErrorCode::kInvalidArgument, "candidate is -1",
               [&] { scene.tracker.add_prompt(1, 0, click(-1)); });
  EXPECT_EQ(state_of(scene.tracker), before);
}

}  // namespace
}  // namespace vostrack::tracker::test
