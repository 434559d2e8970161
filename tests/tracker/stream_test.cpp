// A stream is a video that is pushed and forgotten: the same numbers, in bounded memory.
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

SquareClip long_clip(int frames) {
  SquareClip clip;
  clip.frames = frames;
  return clip;
}

Prompt click_at(float x, float y) {
  Prompt prompt;
  prompt.clicks = {{x, y}};
  return prompt;
}

struct Stream {
  explicit Stream(const SquareClip& clip, TrackerConfig tracking = unbatched(),
                  int latest_conditioning_frames = 4)
      : source(clip, nullptr),
        tracker(small_model(), StreamConfig{tracking, latest_conditioning_frames}) {}

  /// Tracks on to `last`, and returns object 1's logits by frame.
  std::map<FrameIndex, torch::Tensor> run_to(FrameIndex last) {
    std::map<FrameIndex, torch::Tensor> logits;
    while (tracker.latest_frame() < last) {
      const auto answer = track(tracker, source, tracker.latest_frame() + 1);
      for (const auto& object : answer.objects)
        if (object.id == 1 && object.output) logits[answer.frame] = object.output->mask_logits;
    }
    return logits;
  }

  ClipSource source;
  StreamTracker tracker;
};

TEST(Stream, EqualsAVideoTrackedForward) {
  const auto clip = long_clip(24);
  Scene video(unbatched(), clip);
  video.click(1, 0);
  video.click(2, 0, {50, 38});
  auto want = video.propagate()[1];

  Stream stream(clip);
  stream.run_to(0);
  stream.tracker.add_prompt(1, 0, click_at(20, 12));
  stream.tracker.add_prompt(2, 0, click_at(50, 38));
  const auto got = stream.run_to(23);
  want.erase(0);  // answered when it was prompted
  EXPECT_TRUE(same_answers(got, want));
}

TEST(Stream, TakesACorrectionOnTheLatestFrame) {
  const auto clip = long_clip(20);
  Scene video(unbatched(), clip);
  video.click(1, 0);
  video.propagate({0, 8, false});
  video.click(1, 8, {30, 30});
  const auto want = video.propagate({9, {}, false})[1];

  Stream stream(clip);
  stream.run_to(0);
  stream.tracker.add_prompt(1, 0, click_at(20, 12));
  stream.run_to(8);
  stream.tracker.add_prompt(1, 8, click_at(30, 30));
  EXPECT_TRUE(same_answers(stream.run_to(19), want));
}

TEST(Stream, CatchesUpAfterACorrectionOnAHeldFrame) {
  const auto clip = long_clip(20);
  Scene video(unbatched(), clip);
  video.click(1, 0);
  video.propagate({0, 10, false});
  video.click(1, 7, {30, 30});
  auto want = video.propagate({8, {}, false})[1];
  for (const FrameIndex frame : {8, 9, 10}) want.erase(frame);

  auto config = unbatched();
  config.cached_frames = 4;
  Stream stream(clip, config);
  stream.run_to(0);
  stream.tracker.add_prompt(1, 0, click_at(20, 12));
  stream.run_to(10);
  EXPECT_EQ(stream.tracker.oldest_held_frame(), 7);
  stream.tracker.add_prompt(1, 7, click_at(30, 30));
  EXPECT_TRUE(same_answers(stream.run_to(19), want));
}

TEST(Stream, KeepsNoMoreHoweverLongItRuns) {
  Stream stream(long_clip(120), unbatched(), /*latest_conditioning_frames=*/3);
  stream.run_to(0);
  stream.tracker.add_prompt(1, 0, click_at(20, 12));
  const auto& base = small_config().model;
  const auto reach = std::max(base.num_maskmem, base.max_obj_ptrs_in_encoder) + 2;
  for (FrameIndex frame = 10; frame < 120; frame += 5) {
    stream.run_to(frame);
    stream.tracker.add_prompt(1, frame, click_at(20, 12));
    const auto& object = *stream.tracker.objects().front();
    EXPECT_LE(object.bank.tracked.size(), static_cast<std::size_t>(reach)) << frame;
    EXPECT_LE(object.bank.conditioning.size(), 4U) << frame;
    EXPECT_LE(object.passed.size(), 3U) << frame;
    EXPECT_LE(object.prompts.size(), 6U) << frame;
    EXPECT_TRUE(object.bank.conditioning.contains(0) || object.pending.conditioning.contains(0));
  }
}

TEST(Stream, RefusesWhatCannotBeAndChangesNothing) {
  Stream stream(long_clip(20));
  expect_error(ErrorCode::kFailedState, "there is no frame",
               [&] { stream.tracker.add_prompt(1, 0, click_at(20, 12)); });
  stream.run_to(0);
  stream.tracker.add_prompt(1, 0, click_at(20, 12));
  stream.run_to(10);
  expect_error(ErrorCode::kOutOfRange, "frame 3 is not held, want 9 to 10",
               [&] { stream.tracker.add_prompt(1, 3, click_at(20, 12)); });
  expect_error(ErrorCode::kOutOfRange, "frame 11 is not held",
               [&] { stream.tracker.add_prompt(1, 11, click_at(20, 12)); });
  expect_error(ErrorCode::kInvalidArgument, "want the stream's 48×72", [&] {
    stream.tracker.track(torch::zeros({40, 72, 3}, torch::kUInt8), 99);
  });
  expect_error(ErrorCode::kInvalidArgument, "want (height, width, 3)", [&] {
    stream.tracker.track(torch::zeros({48, 72}, torch::kUInt8), 99);
  });
  expect_error(ErrorCode::kNotFound, "no object 5", [&] { stream.tracker.reset_object(5); });
  EXPECT_EQ(stream.tracker.latest_frame(), 10);

  Stream undisturbed(long_clip(20));
  undisturbed.run_to(0);
  undisturbed.tracker.add_prompt(1, 0, click_at(20, 12));
  undisturbed.run_to(10);
  EXPECT_TRUE(same_answers(stream.run_to(19), undisturbed.run_to(19)));
}

TEST(Stream, KeepsAnObjectThatWasResetButHasNoOutputForIt) {
  Stream stream(long_clip(20));
  stream.run_to(0);
  stream.tracker.add_prompt(1, 0, click_at(20, 12));
  EXPECT_EQ(stream.run_to(4).size(), 4U);
  stream.tracker.reset_object(1);
  EXPECT_TRUE(stream.run_to(6).empty());
  EXPECT_EQ(stream.tracker.objects().size(), 1U);
  stream.tracker.add_prompt(1, 6, click_at(20, 12));
  EXPECT_EQ(stream.run_to(9).size(), 3U);
  stream.tracker.reset();
  EXPECT_EQ(stream.tracker.latest_frame(), -1);
  EXPECT_TRUE(stream.tracker.objects().empty());
}

}  // namespace
}  // namespace vostrack::tracker::test
