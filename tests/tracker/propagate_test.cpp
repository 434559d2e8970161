// Ranges, order, and what is read of the video.
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

TEST(Propagate, YieldsTheStartAndSoManyMoreFrames) {
  Scene scene;
  scene.click(1, 2);
  EXPECT_EQ(frames_of(scene.propagate()[1]), (Frames{2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(frames_of(scene.propagate({3, 2, false})[1]), (Frames{3, 4, 5}));
  EXPECT_EQ(frames_of(scene.propagate({3, 0, false})[1]), (Frames{3}));
  EXPECT_EQ(frames_of(scene.propagate({6, 100, false})[1]), (Frames{6, 7}));
  EXPECT_EQ(frames_of(scene.propagate({7, {}, false})[1]), (Frames{7}));
  EXPECT_EQ(frames_of(scene.propagate({4, 2, true})[1]), (Frames{2, 3, 4}));
  EXPECT_EQ(frames_of(scene.propagate({1, {}, true})[1]), (Frames{0, 1}));
}

TEST(Propagate, StartsAtTheEarliestPromptOfAnyObjectInReverseToo) {
  Scene scene;
  scene.click(1, 5);
  scene.click(2, 3);
  EXPECT_EQ(frames_of(scene.propagate({{}, {}, true})[1]), (Frames{0, 1, 2, 3}));
  EXPECT_EQ(frames_of(scene.propagate()[1]), (Frames{3, 4, 5, 6, 7}));
}

TEST(Propagate, GoesBackwardInOrder) {
  Scene scene;
  scene.click(1, 3);
  Frames order;
  EXPECT_EQ(scene.tracker.propagate({{}, {}, true},
                                    [&](const FrameAnswer& answer) {
                                      order.push_back(answer.frame);
                                      return true;
                                    }),
            4);
  EXPECT_EQ(order, (Frames{3, 2, 1, 0}));
}

TEST(Propagate, YieldsNothingInReverseFromTheFirstFrame) {
  Scene scene;
  scene.click(1, 0);
  EXPECT_EQ(scene.tracker.propagate({{}, {}, true}, [](const FrameAnswer&) { return true; }), 0);
  EXPECT_EQ(scene.tracker.propagate({0, 0, true}, [](const FrameAnswer&) { return true; }), 0);
}

TEST(Propagate, StopsAtTheCallersWishAndGoesOnFromThere) {
  Scene scene;
  scene.click(1, 0);
  const auto done =
      scene.tracker.propagate({}, [](const FrameAnswer& answer) { return answer.frame < 2; });
  EXPECT_EQ(done, 3);
  EXPECT_EQ(scene.object().bank.tracked.frames(), (Frames{1, 2}));
  Scene control;
  control.click(1, 0);
  auto want = control.propagate()[1];
  want.erase(want.begin(), want.find(3));
  EXPECT_TRUE(same_answers(scene.propagate({3, {}, false})[1], want));
}

TEST(Propagate, GivesTheSameAgain) {
  Scene scene;
  scene.click(1, 0);
  const auto first = scene.propagate()[1];
  EXPECT_TRUE(same_answers(scene.propagate()[1], first));
}

TEST(Propagate, TracksAnObjectBeforeItsFirstPrompt) {
  Scene scene;
  scene.click(1, 5);
  EXPECT_EQ(frames_of(scene.propagate({0, {}, false})[1]), (Frames{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(scene.object().bank.conditioning.frames(), (Frames{5}));
}

TEST(Propagate, WorksOnASingleFrame) {
  SquareClip clip;
  clip.frames = 1;
  Scene scene(unbatched(), clip);
  scene.click(1, 0);
  EXPECT_EQ(frames_of(scene.propagate()[1]), (Frames{0}));
  const auto again = scene.click(1, 0).objects[0].output->mask_logits;
  EXPECT_TRUE(torch::isfinite(again).all().item<bool>()) << "a single frame has no time to divide";
}

TEST(Propagate, TracksWithoutAnyMemory) {
  auto config = small_config();
  config.model.num_maskmem = 0;
  Scene scene(unbatched(), {}, small_model(config));
  scene.click(1, 0);
  EXPECT_EQ(scene.propagate()[1].size(), 8U);
}

TEST(CachedFrames, DoNotChangeResults) {
  const auto run = [](int cached, std::size_t* reads) {
    TrackerConfig config;
    config.cached_frames = cached;
    Scene scene(config);
    scene.click(1, 0);
    scene.click(2, 4, {50, 38});
    scene.propagate();
    scene.click(1, 2);
    auto answers = scene.propagate();
    *reads = scene.log.reads.size();
    return answers;
  };
  std::size_t few = 0, many = 0;
  auto with_one = run(1, &many), with_all = run(8, &few);
  EXPECT_EQ(few, 8U);
  EXPECT_GT(many, few);
  for (const ObjectId id : {1, 2}) EXPECT_TRUE(same_answers(with_one[id], with_all[id]));
}

TEST(CachedFrames, AreAsManyAsAskedForAndTheLatestUsed) {
  TrackerConfig config;
  config.cached_frames = 2;
  Scene scene(config);
  for (const FrameIndex frame : {0, 1, 0, 2, 0, 2, 1}) scene.click(1, frame);
  EXPECT_EQ(scene.log.reads, (Frames{0, 1, 2, 1}));
}

TEST(CachedFrames, AreReadOnceForAllObjectsHoweverLongTheVideo) {
  SquareClip clip;
  clip.frames = 40;
  Scene scene(unbatched(), clip);
  Frames want;
  for (FrameIndex frame = 0; frame < 40; ++frame) want.push_back(frame);
  for (const ObjectId id : {1, 2, 3}) scene.click(id, 0);
  scene.propagate();
  EXPECT_EQ(scene.log.reads, want);
}

}  // namespace
}  // namespace vostrack::tracker::test
