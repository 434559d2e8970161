// A video that cannot be read everywhere.
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

TEST(FailingSource, LeavesWhatWasTrackedAndGoesOnOnceRepaired) {
  Scene scene;
  scene.click(1, 0);
  scene.log.broken_frame = 3;
  std::vector<FrameIndex> handed_over;
  expect_error(ErrorCode::kDecode, "frame 3 is broken", [&] {
    scene.tracker.propagate({}, [&](const FrameAnswer& answer) {
      handed_over.push_back(answer.frame);
      return true;
    });
  });
  EXPECT_EQ(handed_over, (Frames{0, 1, 2}));
  EXPECT_EQ(scene.object().bank.tracked.frames(), (Frames{1, 2}));
  EXPECT_EQ(scene.object().passed.count(3), 0U);

  scene.log.broken_frame.reset();
  Scene control;
  control.click(1, 0);
  EXPECT_TRUE(same_answers(scene.propagate()[1], control.propagate()[1]));
}

TEST(FailingSource, RefusesAPromptOnAFrameThatCannotBeRead) {
  Scene scene;
  scene.click(1, 0);
  const auto before = state_of(scene.tracker);
  scene.log.broken_frame = 5;
  for (const ObjectId id : {1, 2}) {
    expect_error(ErrorCode::kDecode, "frame 5 is broken", [&] { scene.click(id, 5); });
    EXPECT_TRUE(state_of(scene.tracker) == before);
  }
}

TEST(FailingSource, TakesInAllPromptsOrNone) {
  TrackerConfig config;
  config.cached_frames = 1;
  Scene scene(config);
  scene.click(1, 4);
  scene.click(2, 0);
  scene.click(1, 0);
  const auto before = state_of(scene.tracker);
  scene.log.broken_frame = 4;  // no longer cached; needed again to encode the prompt's memory
  expect_error(ErrorCode::kDecode, "frame 4 is broken", [&] { scene.propagate(); });
  EXPECT_TRUE(state_of(scene.tracker) == before);
}

TEST(FailingCallback, LeavesTheTrackerUsable) {
  Scene scene;
  scene.click(1, 0);
  EXPECT_THROW(scene.tracker.propagate({},
                                       [](const FrameAnswer& answer) -> bool {
                                         if (answer.frame == 2)
                                           throw std::runtime_error("disk full");
                                         return true;
                                       }),
               std::runtime_error);
  Scene control;
  control.click(1, 0);
  EXPECT_TRUE(same_answers(scene.propagate()[1], control.propagate()[1]));
}

TEST(Callback, MayNotChangeTheTracker) {
  Scene scene, control;
  scene.click(1, 0);
  control.click(1, 0);
  Prompt prompt;
  prompt.clicks = {{20, 12}};
  int refused = 0;
  const auto refuse = [&](auto change) {
    expect_error(ErrorCode::kFailedState, "handed over", change);
    ++refused;
  };
  scene.tracker.propagate({}, [&](const FrameAnswer&) {
    refuse([&] { scene.tracker.add_prompt(2, 1, prompt); });
    refuse([&] { scene.tracker.clear_prompts(1, 0); });
    refuse([&] { scene.tracker.remove_object(1); });
    refuse([&] { scene.tracker.reset(); });
    refuse([&] { scene.propagate(); });
    return false;
  });
  EXPECT_EQ(refused, 5);
  // Afterwards all of it is allowed again.
  EXPECT_TRUE(same_answers(scene.propagate()[1], control.propagate()[1]));
}

}  // namespace
}  // namespace vostrack::tracker::test
