// Ceilings, the scratch file, and what is kept for good.
#include <thread>

#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

SquareClip long_clip(int frames) {
  SquareClip clip;
  clip.frames = frames;
  return clip;
}

TEST(MaxBytes, MovesFarFramesToTheScratchFileAndLosesNothing) {
  const auto clip = long_clip(40);
  Scene roomy(unbatched(), clip);
  roomy.click(1, 0);
  const auto want = roomy.propagate()[1];
  const auto usage = roomy.tracker.memory_usage();
  EXPECT_EQ(usage.scratch_bytes, 0);
  ASSERT_EQ(usage.objects.size(), 1U);
  EXPECT_EQ(usage.bytes, usage.objects[0].bytes + usage.picture_bytes);

  auto config = unbatched();
  config.max_bytes = usage.picture_bytes + usage.objects[0].bytes / 4;
  Scene narrow(config, clip);
  narrow.click(1, 0);
  EXPECT_TRUE(same_answers(narrow.propagate()[1], want));
  const auto narrow_usage = narrow.tracker.memory_usage();
  EXPECT_LE(narrow_usage.bytes, *config.max_bytes);
  EXPECT_GT(narrow_usage.scratch_bytes, usage.objects[0].bytes / 2);
  EXPECT_EQ(narrow_usage.max_bytes, config.max_bytes);
  for (FrameIndex frame = 1; frame < 40; ++frame)
    EXPECT_TRUE(same(narrow.object().bank.tracked.get(frame)->mask_logits, want.at(frame)));

  // A correction far back reads what was moved, and tracking goes over it again.
  roomy.click(1, 3);
  narrow.click(1, 3);
  EXPECT_TRUE(same_answers(narrow.propagate()[1], roomy.propagate()[1]));
}

TEST(MaxBytes, LeavesRoomForPrompts) {
  Scene roomy(unbatched(), long_clip(40));
  roomy.click(1, 0);
  roomy.propagate();
  auto config = unbatched();
  config.max_bytes = 2 * roomy.tracker.memory_usage().bytes;
  Scene scene(config, long_clip(40));
  scene.click(1, 0);
  scene.propagate();
  // All would fit below the ceiling.
  EXPECT_LE(scene.object().bank.tracked.bytes(), *config.max_bytes / 4);
  EXPECT_GT(scene.tracker.memory_usage().scratch_bytes, 0);
}

TEST(Outputs, KeepNoMoreThanTheyShow) {
  for (const int together : {1, 8}) {
    auto config = unbatched();
    config.objects_per_batch = together;
    Scene scene(config, long_clip(4));
    scene.click(1, 0);
    scene.click(2, 0, {50, 38});
    scene.propagate();
    for (const FrameIndex frame : {1, 2, 3})
      for (const auto& field : memory::kOutputFields) {
        const auto& tensor = *scene.object().bank.tracked.get(frame).*field.tensor;
        EXPECT_EQ(tensor.storage().nbytes(), tensor.nbytes()) << together << " together";
      }
  }
}

TEST(ObjectsTogether, AreFewOnCpusWhereTheGridIsLarge) {
  auto config = small_config();
  EXPECT_EQ(objects_together(*small_model(config), 8), 8);
  config.image_size = 512;
  EXPECT_EQ(objects_together(*small_model(config), 8), 6);
  EXPECT_EQ(objects_together(*small_model(config), 4), 4);
  config.image_size = 1024;
  EXPECT_EQ(objects_together(*small_model(config), 8), 1);
  config.image_size = 2048;
  EXPECT_EQ(objects_together(*small_model(config), 8), 1);
}

TEST(MaxBytes, RefusesAPromptThatDoesNotFit) {
  auto config = unbatched();
  Scene probe(config);
  probe.click(1, 0);
  config.max_bytes = probe.tracker.memory_usage().bytes + 1000;
  Scene scene(config);
  scene.click(1, 0);
  const auto before = state_of(scene.tracker);
  expect_error(ErrorCode::kOutOfMemory, "max_bytes", [&] { scene.click(2, 0, {50, 38}); });
  EXPECT_EQ(state_of(scene.tracker), before);
}

TEST(MaxBytes, RefusesAnObjectThatAStreamCouldNotHold) {
  const auto clip = long_clip(40);
  ClipSource source(clip, nullptr);
  const auto grown_bytes = [&](std::optional<std::int64_t> ceiling, int objects) {
    auto config = unbatched();
    config.max_bytes = ceiling;
    StreamTracker tracker(small_model(), {config, 4});
    track(tracker, source, 0);
    Prompt prompt;
    prompt.clicks = {{20, 12}};
    for (int id = 1; id <= objects; ++id) tracker.add_prompt(id, 0, prompt);
    std::int64_t most = 0;
    for (FrameIndex frame = 1; frame < 40; ++frame) {
      track(tracker, source, frame);
      if (frame % 3 == 0) tracker.add_prompt(1, frame, prompt);
      most = std::max(most, tracker.memory_usage().bytes);
    }
    return most;
  };
  expect_error(ErrorCode::kOutOfMemory, "1 objects", [&] { grown_bytes(10'000, 1); });
  // The least that is allowed is never exceeded.
  std::int64_t allowed = 20'000;
  for (;; allowed += 10'000) try {
      EXPECT_LE(grown_bytes(allowed, 2), allowed);
      break;
    } catch (const Error&) {
      ASSERT_LT(allowed, 10'000'000);
    }
}

TEST(Permanent, FramesAreAlwaysLookedBackTo) {
  auto model_config = small_config();
  model_config.model.max_cond_frames_in_attn = 2;
  const auto clip = long_clip(30);
  const auto attended_at_last = [&](bool keep) {
    Scene scene(unbatched(), clip, small_model(model_config));
    for (FrameIndex frame : {0, 3, 20, 24}) scene.click(1, frame);
    scene.propagate();
    if (keep) {
      scene.tracker.set_permanent(1, 0, true);   // prompted
      scene.tracker.set_permanent(1, 10, true);  // tracked
    }
    std::vector<FrameIndex> attended;
    scene.tracker.propagate({28, 1, false}, [&](const FrameAnswer& answer) {
      attended = answer.objects[0].output->attended;
      return true;
    });
    return std::set<FrameIndex>(attended.begin(), attended.end());
  };
  const auto usual = attended_at_last(false), kept = attended_at_last(true);
  EXPECT_FALSE(usual.contains(0) || usual.contains(10));
  EXPECT_TRUE(kept.contains(0) && kept.contains(10));
  EXPECT_TRUE(kept.contains(24));
}

TEST(Permanent, FramesCanBeLetGoOf) {
  Scene scene;
  scene.click(1, 0);
  scene.propagate();
  const auto before = state_of(scene.tracker);
  scene.tracker.set_permanent(1, 4, true);
  EXPECT_TRUE(scene.object().bank.conditioning.contains(4));
  EXPECT_FALSE(scene.object().bank.tracked.contains(4));
  scene.tracker.set_permanent(1, 4, false);
  EXPECT_TRUE(scene.object().bank.tracked.contains(4));
  EXPECT_TRUE(scene.object().bank.permanent.empty());
  EXPECT_EQ(scene.object().bank.conditioning.size(), 1U);
  expect_error(ErrorCode::kNotFound, "object 7", [&] { scene.tracker.set_permanent(7, 4, true); });
  Scene fresh;
  fresh.click(1, 0);
  expect_error(ErrorCode::kNotFound, "no memory of frame 4",
               [&] { fresh.tracker.set_permanent(1, 4, true); });
}

TEST(Permanent, FramesStayInAStream) {
  const auto clip = long_clip(60);
  ClipSource source(clip, nullptr);
  StreamTracker tracker(small_model(), {unbatched(), 1});
  Prompt prompt;
  prompt.clicks = {{20, 12}};
  for (FrameIndex frame = 0; frame < 60; ++frame) {
    track(tracker, source, frame);
    if (frame % 10 == 0) tracker.add_prompt(1, frame, prompt);
    if (frame == 22) tracker.set_permanent(1, 20, true);
  }
  EXPECT_EQ(tracker.objects()[0]->bank.conditioning.frames(), (Frames{0, 20, 50}));
}

TEST(Cancel, EndsWithinAFrameAndKeepsWhatWasHandedOver) {
  Scene scene;
  scene.click(1, 0);
  scene.click(2, 0, {50, 38});
  auto run = scene.tracker.begin({});
  EXPECT_EQ(scene.tracker.next(run)->frame, 0);
  EXPECT_EQ(scene.tracker.next(run)->frame, 1);
  // Cancelled while frame 2 is read: none of its objects is tracked.
  const auto before = state_of(scene.tracker);
  scene.log.on_read = [&] { scene.tracker.cancel(); };
  EXPECT_FALSE(scene.tracker.next(run));
  EXPECT_EQ(state_of(scene.tracker), before);
  EXPECT_FALSE(scene.tracker.next(run));
  scene.log.on_read = nullptr;
  EXPECT_EQ(scene.propagate()[1].size(), 8U);  // another propagation is not cancelled
}

TEST(Cancel, OfAStreamDropsTheFrame) {
  const SquareClip clip;
  ClipSource source(clip, nullptr);
  StreamTracker tracker(small_model(), {unbatched(), 4});
  track(tracker, source, 0);
  Prompt prompt;
  prompt.clicks = {{20, 12}};
  tracker.add_prompt(1, 0, prompt);
  std::atomic<bool> stop = false;
  std::thread canceller([&] {
    while (!stop) tracker.cancel();
  });
  bool cancelled = false;
  for (int i = 0; i < 50 && !cancelled; ++i) {
    const auto latest = tracker.latest_frame();
    try {
      track(tracker, source, 1);
    } catch (const Error& error) {
      cancelled = error.code() == ErrorCode::kCancelled;
      EXPECT_EQ(tracker.latest_frame(), latest);
    }
  }
  stop = true;
  canceller.join();
  EXPECT_TRUE(cancelled);
  const auto next = tracker.latest_frame() + 1;
  EXPECT_EQ(track(tracker, source, 2).frame, next);
}

TEST(Pulling, EqualsHandingOver) {
  Scene pulled, handed;
  pulled.click(1, 0);
  handed.click(1, 0);
  Answers answers;
  auto run = pulled.tracker.begin({2, 3, false});
  while (const auto answer = pulled.tracker.next(run))
    answers[1][answer->frame] = answer->objects[0].output->mask_logits;
  EXPECT_TRUE(same_answers(answers[1], handed.propagate({2, 3, false})[1]));
  EXPECT_EQ(frames_of(answers[1]), (Frames{2, 3, 4, 5}));
}

TEST(Pulling, SaysThatObjectsWereChanged) {
  Scene scene;
  scene.click(1, 0);
  auto run = scene.tracker.begin({});
  scene.tracker.next(run);
  scene.click(1, 5);
  expect_error(ErrorCode::kFailedState, "begin another", [&] { scene.tracker.next(run); });
}

}  // namespace
}  // namespace vostrack::tracker::test
