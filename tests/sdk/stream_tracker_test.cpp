// A stream through the public interface; the tracker's rules have their own tests.
#include <gtest/gtest.h>

#include "sdk/small_checkpoint.hpp"
#include "support/errors.hpp"
#include "support/moving_square.hpp"
#include "vostrack/session.hpp"
#include "vostrack/stream.hpp"

namespace vostrack::test {
namespace {

Prompt click(float x, float y) {
  Prompt prompt;
  prompt.clicks = {{x, y}};
  return prompt;
}

double time_of(std::int64_t frame) {
  return 0.5 + static_cast<double>(frame) / 25;
}

/// Tracks frames up to `last`, and returns the last result.
FrameResult run_to(StreamTracker& tracker, std::int64_t last) {
  const SquareClip clip;
  FrameResult result;
  while (tracker.latest_frame() < last) {
    const auto frame = tracker.latest_frame() + 1;
    result = tracker.track(clip.picture(frame), time_of(frame));
  }
  return result;
}

TEST(StreamTracker, AnswersAsASessionDoes) {
  SquareClip clip;
  clip.frames = 20;
  VideoSession session(load_small_model(), std::make_unique<SquareVideo>(clip));
  session.add_prompt(3, 0, click(12, 12));
  std::vector<Logits> want;
  session.propagate({}, [&](const FrameResult& result) {
    want.push_back(result.objects[0].logits());
    return true;
  });

  StreamTracker tracker(load_small_model());
  EXPECT_TRUE(run_to(tracker, 0).objects.empty());
  tracker.add_prompt(3, click(12, 12));
  for (std::int64_t frame = 1; frame < 20; ++frame) {
    const auto result = run_to(tracker, frame);
    EXPECT_EQ(result.frame, frame);
    EXPECT_DOUBLE_EQ(result.pts_s, time_of(frame));
    ASSERT_EQ(result.objects.size(), 1U);
    EXPECT_EQ(result.objects[0].object_id(), 3);
    EXPECT_EQ(result.objects[0].logits().data, want[static_cast<std::size_t>(frame)].data);
    EXPECT_FALSE(result.objects[0].attended_frames().empty());
  }
}

TEST(StreamTracker, RefusesATimeThatGoesBack) {
  StreamTracker tracker(load_small_model());
  run_to(tracker, 3);
  expect_error(ErrorCode::kInvalidArgument, "want at least the last frame's",
               [&] { tracker.track(SquareClip().picture(4), time_of(2)); });
  EXPECT_EQ(tracker.latest_frame(), 3);
  tracker.reset();
  EXPECT_EQ(tracker.track(SquareClip().picture(0), 0.0).frame, 0);
}

TEST(StreamTracker, MeasuresMasks) {
  StreamTracker tracker(load_small_model());
  run_to(tracker, 0);
  Prompt prompt;
  prompt.mask = Mask{48, 72, std::vector<std::uint8_t>(48 * 72, 0)};
  for (int y = 8; y < 24; ++y)
    for (int x = 16; x < 48; ++x) prompt.mask->data[static_cast<std::size_t>(y) * 72 + x] = 1;
  const auto object = tracker.add_prompt(1, prompt).objects.at(0);
  EXPECT_EQ(object.presence(), Presence::kVisible);
  EXPECT_FLOAT_EQ(object.predicted_iou(), 1);
  EXPECT_NEAR(static_cast<double>(object.area()), 16 * 32, 60);
  ASSERT_TRUE(object.box());
  EXPECT_NEAR(object.box()->x0, 16, 2);
  EXPECT_NEAR(object.box()->y0, 8, 2);
  EXPECT_NEAR(object.box()->x1, 48, 2);
  EXPECT_NEAR(object.box()->y1, 24, 2);

  // An empty mask says that the object is not there.
  prompt.mask->data.assign(48 * 72, 0);
  const auto absent = tracker.add_prompt(2, prompt).objects.at(1);
  EXPECT_NE(absent.presence(), Presence::kVisible);
  EXPECT_EQ(absent.area(), 0);
  EXPECT_FALSE(absent.box());
}

TEST(StreamTracker, ListsAndForgetsObjects) {
  StreamTracker tracker(load_small_model());
  expect_error(ErrorCode::kFailedState, "no frame", [&] { tracker.add_prompt(1, click(12, 12)); });
  run_to(tracker, 0);
  tracker.add_prompt(1, click(12, 12));
  tracker.add_prompt(2, click(40, 30));
  run_to(tracker, 2);
  ASSERT_EQ(tracker.objects().size(), 2U);
  EXPECT_EQ(tracker.objects()[0].conditioning_frames, 1);
  EXPECT_EQ(tracker.objects()[0].tracked_frames, 2);
  tracker.reset_object(1);
  EXPECT_EQ(tracker.objects()[0].tracked_frames, 0);
  const auto result = run_to(tracker, 3);
  EXPECT_FALSE(result.objects.at(0).has_output());
  EXPECT_TRUE(result.objects.at(1).has_output());
  tracker.remove_object(2);
  EXPECT_EQ(tracker.objects().size(), 1U);
  expect_error(ErrorCode::kNotFound, "object 2", [&] { tracker.remove_object(2); });
}

}  // namespace
}  // namespace vostrack::test
