// Corrections, clearing and removing.
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

TrackerConfig lasting(bool lasts) {
  TrackerConfig config;
  config.corrections_last = lasts;
  return config;
}

const torch::Tensor& logits(const FrameAnswer& answer, std::size_t index = 0) {
  return answer.objects.at(index).output->mask_logits;
}

TEST(Corrections, LastWhenAsked) {
  Scene scene(lasting(true));
  scene.click(1, 0);
  const auto first = scene.propagate()[1];
  const auto corrected = scene.click(1, 3, {50, 40});
  EXPECT_FALSE(same(logits(corrected), first.at(3)));
  const auto second = scene.propagate()[1];
  EXPECT_TRUE(same(second.at(3), logits(corrected)));
  EXPECT_TRUE(same(second.at(0), first.at(0)));
  EXPECT_FALSE(same(second.at(5), first.at(5))) << "the correction is not remembered";
  EXPECT_EQ(scene.object().bank.conditioning.frames(), (Frames{0, 3}));
}

TEST(Corrections, AreOverwrittenByTheNextPropagationOtherwise) {
  Scene scene(lasting(false));
  scene.click(1, 0);
  const auto first = scene.propagate()[1];
  const auto corrected = scene.click(1, 3, {50, 40});
  EXPECT_FALSE(same(logits(corrected), first.at(3)));
  EXPECT_TRUE(same_answers(scene.propagate()[1], first));
  EXPECT_EQ(scene.object().bank.conditioning.frames(), (Frames{0}));
}

TEST(Corrections, AreRememberedUntilOverwritten) {
  // Propagation that starts after the corrected frame looks back at the correction.
  Scene scene(lasting(false));
  scene.click(1, 0);
  const auto first = scene.propagate()[1];
  scene.click(1, 3, {50, 40});
  EXPECT_FALSE(same(scene.propagate({4, {}, false})[1].at(4), first.at(4)));
}

TEST(Corrections, OfAPassedConditioningFrameAreDiscardedOtherwise) {
  for (const bool lasts : {false, true}) {
    Scene scene(lasting(lasts));
    scene.click(1, 0);
    const auto first = scene.propagate()[1];
    const auto corrected = scene.click(1, 0, {50, 40});
    EXPECT_FALSE(same(logits(corrected), first.at(0)));
    const auto second = scene.propagate()[1];
    EXPECT_TRUE(same(second.at(0), lasts ? logits(corrected) : first.at(0))) << lasts;
  }
}

/// On frame 3, of an object whose only prompt was cleared after it had been followed.
void mask_without_conditioning_frames(Scene& scene) {
  scene.click(1, 0);
  scene.propagate();
  scene.tracker.clear_prompts(1, 0);
  Prompt mask;
  mask.mask = scene.clip.mask(0, 3);
  scene.tracker.add_prompt(1, 3, mask);
}

TEST(Corrections, ByMaskOfAnObjectWithoutConditioningFramesCountAsOneUnlessAnotherComes) {
  for (const bool another : {false, true}) {
    Scene scene(lasting(false));
    mask_without_conditioning_frames(scene);
    if (another) scene.click(1, 0);
    scene.propagate();
    EXPECT_EQ(scene.object().bank.conditioning.frames(), another ? Frames{0} : Frames{3});
  }
}

TEST(Corrections, ByClicksOnSuchAMaskReplaceIt) {
  Scene scene(lasting(false));
  mask_without_conditioning_frames(scene);
  const auto clicked = scene.click(1, 3, {50, 40});
  EXPECT_EQ(scene.object().pending.tracked.get(3), clicked.objects[0].output);
  EXPECT_TRUE(scene.object().pending.conditioning.empty());
}

TEST(Corrections, ByClicksOfAnObjectWithoutConditioningFramesStartAfresh) {
  Scene scene(lasting(false)), fresh;
  scene.click(1, 0);
  scene.propagate();
  scene.tracker.clear_prompts(1, 0);
  fresh.click(1, 3);
  // From the answer that was there, as any correction.
  EXPECT_FALSE(same(logits(scene.click(1, 3)), logits(fresh.click(1, 3))));
  scene.propagate();
  EXPECT_EQ(scene.object().bank.conditioning.frames(), (Frames{3}));
}

TEST(Corrections, LookBackInTheDirectionLastTracked) {
  // What lies beyond the corrected frame makes no difference, whichever way tracking went.
  const auto corrected = [](bool backward, std::optional<std::int64_t> count) {
    Scene scene;
    const FrameIndex start = backward ? 7 : 0;
    scene.click(1, start);
    scene.propagate({start, count, backward});
    return logits(scene.click(1, 3)).clone();
  };
  EXPECT_TRUE(same(corrected(false, 3), corrected(false, {})));
  EXPECT_TRUE(same(corrected(true, 4), corrected(true, {})));
}

TEST(Corrections, AddClicksToEarlierOnes) {
  Scene scene;
  Prompt more;
  more.clicks = {{50, 40, false}};
  more.add_to_earlier_clicks = true;
  scene.click(1, 0);
  scene.tracker.add_prompt(1, 0, more);
  EXPECT_EQ(scene.object().prompts.at(0).clicks.size(), 2U);

  scene.click(1, 0);  // replaces
  EXPECT_EQ(scene.object().prompts.at(0).clicks.size(), 1U);

  Prompt mask;
  mask.mask = scene.clip.mask(0, 0);
  scene.tracker.add_prompt(1, 0, mask);
  EXPECT_TRUE(scene.object().prompts.at(0).mask);
  EXPECT_TRUE(scene.object().prompts.at(0).clicks.empty());
  scene.tracker.add_prompt(1, 0, more);  // the mask goes
  EXPECT_FALSE(scene.object().prompts.at(0).mask);
  EXPECT_EQ(scene.object().prompts.at(0).clicks.size(), 1U);
}

TEST(Corrections, AClickAfterABoxCountsAllPoints) {
  Scene scene;
  Prompt box;
  box.box = scene.clip.box(0, 0);
  scene.tracker.add_prompt(1, 0, box);
  Prompt more;
  more.clicks = {{12, 12}};
  more.add_to_earlier_clicks = true;
  scene.tracker.add_prompt(1, 0, more);
  EXPECT_EQ(scene.object().prompts.at(0).clicks.size(), 1U);
  EXPECT_TRUE(scene.object().prompts.at(0).box.has_value());
}

TEST(MaskPrompt, ComesBackAsTheNetworkKeepsIt) {
  SquareClip clip;
  clip.height = clip.width = 64;
  Scene scene(unbatched(), clip);
  Prompt prompt;
  prompt.mask = clip.mask(0, 0);
  const auto answer = scene.tracker.add_prompt(1, 0, prompt);
  const auto mask = logits_at_size(answer, 64, 64, false) > 0;
  auto data = prompt.mask->data;
  const auto want = torch::from_blob(data.data(), {1, 1, 64, 64}, torch::kUInt8) > 0;
  // The square's edges lie on multiples of 4, so that quarter size keeps them; each corner is
  // rounded off by three pixels on the way back.
  EXPECT_LE((mask != want).sum().item<std::int64_t>(), 4 * 3);
  EXPECT_EQ(answer.objects[0].output->object_score.item<float>(), 10);
  EXPECT_NEAR(logits(answer).max().item<float>(), 10, 1e-5);
  EXPECT_NEAR(logits(answer).min().item<float>(), -10, 1e-5);
}

TEST(MaskPrompt, MayBeEmptyAndSaysThatTheObjectIsNotThere) {
  Scene scene;
  Prompt prompt;
  prompt.mask = scene.clip.mask(0, 0);
  prompt.mask->data.assign(prompt.mask->data.size(), 0);
  const auto answer = scene.tracker.add_prompt(1, 0, prompt);
  EXPECT_EQ(answer.objects[0].output->object_score.item<float>(), -10);
  EXPECT_TRUE(vostrack::test::near(logits(answer), torch::full({1, 1, 16, 16}, -10), 1e-5));
  EXPECT_EQ(scene.propagate()[1].size(), 8U);
}

TEST(ClearPrompts, DropsWhatNoPropagationHasTakenIn) {
  Scene scene;
  scene.click(1, 0);
  scene.click(1, 4);
  scene.tracker.clear_prompts(1, 4);
  EXPECT_EQ(scene.object().prompts.count(4), 0U);
  scene.propagate();
  EXPECT_EQ(scene.object().bank.conditioning.frames(), (Frames{0}));
}

TEST(ClearPrompts, KeepsAConditioningOutputAsATrackedOne) {
  Scene scene;
  scene.click(1, 0);
  scene.click(1, 4);
  scene.propagate();
  const auto output = scene.object().bank.conditioning.get(4);
  const auto answer = scene.tracker.clear_prompts(1, 4);
  EXPECT_EQ(answer.objects[0].output, output);
  EXPECT_EQ(scene.object().bank.tracked.get(4), output);
  EXPECT_FALSE(scene.object().bank.conditioning.contains(4));
  EXPECT_EQ(scene.object().passed.count(4), 0U) << "it counts as untracked again";
  scene.propagate();
  EXPECT_NE(scene.object().bank.tracked.get(4), output) << "and is tracked by the next propagation";
}

TEST(ClearPrompts, KeepsACorrectedTrackedOutput) {
  Scene scene(lasting(false));
  scene.click(1, 0);
  scene.propagate();
  const auto corrected = scene.click(1, 3, {50, 40});
  scene.propagate({6, 0, false});
  scene.tracker.clear_prompts(1, 3);
  EXPECT_TRUE(same(scene.object().bank.tracked.get(3)->mask_logits, logits(corrected)));
}

TEST(RemoveObject, ForgetsEverythingWithTheLastOne) {
  Scene scene;
  scene.click(1, 0);
  scene.click(2, 0);
  scene.tracker.remove_object(1);
  ASSERT_EQ(scene.tracker.objects().size(), 1U);
  EXPECT_EQ(scene.object().id, 2);
  scene.tracker.remove_object(2);
  EXPECT_TRUE(scene.tracker.objects().empty());
  expect_error(ErrorCode::kFailedState, "no object", [&] { scene.propagate(); });
  // A new object with an old number starts afresh.
  Scene fresh;
  EXPECT_TRUE(same(logits(scene.click(2, 5)), logits(fresh.click(2, 5))));
}

TEST(ClearMemoryAroundCorrections, DropsTheTrackedFramesNearby) {
  auto config = small_config();
  config.model.num_maskmem = 2;
  config.model.memory_temporal_stride_for_eval = 2;  // reach: 4 frames
  SquareClip clip;
  clip.frames = 20;
  for (const bool lasts : {false, true}) {
    auto options = lasting(lasts);
    options.clear_memory_around_corrections = true;
    Scene scene(options, clip, small_model(config));
    scene.click(1, 0);
    scene.propagate();
    scene.click(1, 10);
    scene.propagate({19, 0, false});
    Frames want{1, 2, 3, 4, 5, 15, 16, 17, 18, 19};
    if (!lasts) want.insert(want.begin() + 5, 10);
    EXPECT_EQ(scene.object().bank.tracked.frames(), want) << lasts;
  }
}

}  // namespace
}  // namespace vostrack::tracker::test
