// Frames that are not tracked: which, what stands for them, and what later frames see of them.
#include <cmath>

#include "support/temporary_folder.hpp"
#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

SquareClip clip_of(int frames, int step) {
  SquareClip clip;
  clip.frames = frames;
  clip.step = step;
  return clip;
}

TrackerConfig keyframes(int interval) {
  auto config = unbatched();
  config.speed.keyframe_interval = interval;
  return config;
}

TrackerConfig still(double change, int refresh) {
  auto config = unbatched();
  config.speed.still_change = change;
  config.speed.still_refresh = refresh;
  return config;
}

using Sources = std::map<FrameIndex, std::optional<FrameIndex>>;

/// Where each frame's output of the first object comes from.
Sources sources(Scene& scene, const Range& range = {}) {
  Sources sources;
  scene.tracker.propagate(range, [&](const FrameAnswer& answer) {
    EXPECT_TRUE(answer.objects.at(0).output);
    sources[answer.frame] = answer.objects.at(0).held_from;
    return true;
  });
  return sources;
}

Prompt click_at(float x, float y) {
  Prompt prompt;
  prompt.clicks = {{x, y}};
  return prompt;
}

TEST(Holding, TracksEveryFrameUnlessAsked) {
  Scene scene(unbatched(), clip_of(6, 0));
  scene.click(1, 0);
  for (const auto& [frame, source] : sources(scene)) EXPECT_FALSE(source) << frame;
  EXPECT_EQ(scene.tracker.speed_report().tracked_frames, 6);
  EXPECT_EQ(scene.log.reads.size(), 6U);
}

TEST(Holding, KeyframesEqualAVideoOfKeyframesOnly) {
  Scene every_second(keyframes(2), clip_of(60, 2));
  every_second.click(1, 0);
  const auto got = every_second.propagate()[1];
  Scene short_video(unbatched(), clip_of(30, 4));
  short_video.click(1, 0);
  const auto want = short_video.propagate()[1];
  ASSERT_EQ(got.size(), 60U);
  for (const auto& [frame, logits] : want) EXPECT_TRUE(same(got.at(2 * frame), logits)) << frame;
  EXPECT_EQ(every_second.tracker.speed_report().between_frames, 30);
  EXPECT_EQ(every_second.tracker.speed_report().tracked_frames, 30);
  EXPECT_EQ(every_second.object().bank.tracked.size(), 29U);
}

TEST(Holding, CountsFromTheLastTrackedFrameInBothDirections) {
  Scene scene(keyframes(3), clip_of(12, 2));
  scene.click(1, 4);
  EXPECT_EQ(sources(scene, {4, {}, false}),
            (Sources{{4, {}}, {5, 4}, {6, 4}, {7, {}}, {8, 7}, {9, 7}, {10, {}}, {11, 10}}));
  EXPECT_EQ(sources(scene, {4, 4, true}), (Sources{{4, {}}, {3, 4}, {2, 4}, {1, {}}, {0, 1}}));
}

TEST(Holding, NeverShowsAFrameOnItself) {
  Scene scene(keyframes(2), clip_of(8, 2));
  scene.click(1, 0);
  sources(scene);
  // Frame 5 shows frame 4, so going back from 5, frame 4 cannot show what 5 shows.
  EXPECT_EQ(sources(scene, {4, 2, true}), (Sources{{4, {}}, {3, 4}, {2, {}}}));
  EXPECT_EQ(sources(scene, {6, 1, false}), (Sources{{6, {}}, {7, 6}}));
}

TEST(Holding, TracksAllObjectsTogether) {
  Scene scene(keyframes(2), clip_of(8, 2));
  scene.click(1, 0);
  scene.click(2, 1, {50, 38});
  std::map<FrameIndex, std::size_t> held;
  scene.tracker.propagate({0, {}, false}, [&](const FrameAnswer& answer) {
    for (const auto& object : answer.objects) held[answer.frame] += object.held_from ? 1 : 0;
    return true;
  });
  // On frame 1 object 2 is marked; from frame 2 on both are tracked and held together.
  EXPECT_EQ(held, (std::map<FrameIndex, std::size_t>{
                      {0, 0}, {1, 1}, {2, 0}, {3, 2}, {4, 0}, {5, 2}, {6, 0}, {7, 2}}));
}

TEST(Holding, KeepsMasksWhileThePictureStandsStill) {
  Scene scene(still(1, 4), clip_of(12, 0));
  scene.click(1, 0);
  EXPECT_EQ(sources(scene), (Sources{{0, {}},
                                     {1, 0},
                                     {2, 0},
                                     {3, 0},
                                     {4, 0},
                                     {5, {}},
                                     {6, 5},
                                     {7, 5},
                                     {8, 5},
                                     {9, 5},
                                     {10, {}},
                                     {11, 10}}));
  EXPECT_EQ(scene.tracker.speed_report().still_frames, 9);
  const auto answers = scene.propagate()[1];
  EXPECT_TRUE(same(answers.at(3), answers.at(0)));
}

TEST(Holding, TracksAPictureThatChanged) {
  Scene scene(still(1, 4), clip_of(8, 2));
  scene.click(1, 0);
  for (const auto& [frame, source] : sources(scene)) EXPECT_FALSE(source) << frame;
}

TEST(Holding, TakesACorrectionOnAHeldFrame) {
  Scene scene(keyframes(2), clip_of(8, 2));
  scene.click(1, 0);
  sources(scene);
  const auto answer = scene.click(1, 3, {30, 30});
  EXPECT_TRUE(answer.objects.at(0).output);
  EXPECT_EQ(sources(scene, {2, {}, false}),
            (Sources{{2, {}}, {3, {}}, {4, 3}, {5, {}}, {6, 5}, {7, {}}}));
  EXPECT_TRUE(scene.object().bank.conditioning.contains(3));
  EXPECT_FALSE(scene.object().bank.held.contains(3));
}

TEST(Holding, AStreamHoldsAsAVideoDoes) {
  for (const auto& config : {keyframes(3), still(1, 3)}) {
    const auto clip = clip_of(24, config.speed.still_change > 0 ? 0 : 2);
    Scene video(config, clip);
    video.click(1, 0);
    auto want = video.propagate()[1];
    want.erase(0);

    ClipSource source(clip, nullptr);
    StreamTracker stream(small_model(), StreamConfig{config, 4});
    track(stream, source, 0);
    stream.add_prompt(1, 0, click_at(20, 12));
    std::map<FrameIndex, torch::Tensor> got;
    for (FrameIndex frame = 1; frame < 24; ++frame)
      got[frame] = track(stream, source, frame).objects.at(0).output->mask_logits;
    EXPECT_TRUE(same_answers(got, want));
  }
}

TEST(Holding, AStreamTakesPromptsOnAHeldFrameAndStaysBounded) {
  const auto clip = clip_of(120, 2);
  ClipSource source(clip, nullptr);
  StreamTracker stream(small_model(), StreamConfig{keyframes(2), 4});
  track(stream, source, 0);
  stream.add_prompt(1, 0, click_at(20, 12));
  EXPECT_TRUE(track(stream, source, 1).objects.at(0).held_from);
  EXPECT_TRUE(stream.add_prompt(2, 1, click_at(50, 38)).objects.at(1).output);
  for (FrameIndex frame = 2; frame < 120; ++frame) track(stream, source, frame);
  for (const auto& object : stream.objects()) {
    EXPECT_LE(object->bank.held.size(), 20U);
    EXPECT_LE(object->bank.tracked.size(), 20U);
  }
}

TEST(Holding, ASavedSessionGoesOnAsIfNeverSaved) {
  const vostrack::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "session").string();
  auto config = keyframes(3);
  config.speed.pooled_memories = true;
  config.speed.sparse_memories = 0;
  Scene whole(config, clip_of(12, 2));
  whole.click(1, 0);
  const auto want = whole.propagate()[1];

  Scene first(config, clip_of(12, 2));
  first.click(1, 0);
  first.propagate({0, 4, false});
  save_to(first.tracker, path);
  Scene second(config, clip_of(12, 2));
  second.tracker.restore(read_session(path));
  EXPECT_EQ(second.object().bank.held, first.object().bank.held);
  const auto got = second.propagate({5, {}, false})[1];
  for (FrameIndex frame = 5; frame < 12; ++frame)
    EXPECT_TRUE(same(got.at(frame), want.at(frame))) << frame;
}

TEST(Holding, ASavedStreamGoesOnAsIfNeverSaved) {
  const vostrack::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "stream").string();
  const auto clip = clip_of(12, 2);
  ClipSource source(clip, nullptr);
  StreamTracker stream(small_model(), StreamConfig{keyframes(3), 4});
  track(stream, source, 0);
  stream.add_prompt(1, 0, click_at(20, 12));
  for (FrameIndex frame = 1; frame < 6; ++frame) track(stream, source, frame);
  stream.save(path, {});
  StreamTracker again(small_model(), StreamConfig{keyframes(3), 4});
  again.restore(
      nn::read_archive(path, StreamTracker::kArchiveKind, StreamTracker::kArchiveVersion));
  // Frame 5 is held, and so not encoded before it is prompted on.
  EXPECT_TRUE(again.add_prompt(2, 5, click_at(50, 38)).objects.at(1).output);
  stream.add_prompt(2, 5, click_at(50, 38));
  for (FrameIndex frame = 6; frame < 12; ++frame) {
    const auto want = track(stream, source, frame), got = track(again, source, frame);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(got.objects.at(i).held_from, want.objects.at(i).held_from) << frame;
      EXPECT_TRUE(same(got.objects[i].output->mask_logits, want.objects[i].output->mask_logits))
          << frame;
    }
  }
}

TEST(Holding, LooksBackToNoMoreThanAsked) {
  auto config = unbatched();
  config.speed.recent_memories = 2;
  Scene scene(config, clip_of(10, 2));
  scene.click(1, 0);
  scene.propagate();
  EXPECT_EQ(scene.object().bank.tracked.get(9)->attended, (Frames{0, 7, 8}));
}

TEST(Holding, LooksBackToTheCellsAskedFor) {
  const auto tracked = [](bool pooled, std::optional<int> margin) {
    auto config = unbatched();
    config.speed.pooled_memories = pooled;
    config.speed.sparse_memories = margin;
    Scene scene(config, clip_of(2, 2));
    Prompt prompt;
    prompt.mask = scene.clip.mask(0, 0);
    scene.tracker.add_prompt(1, 0, prompt);
    return scene.propagate().at(1).at(1);
  };
  const auto all = tracked(false, std::nullopt);
  const auto sparse = tracked(false, 0);
  EXPECT_TRUE(same(tracked(false, std::nullopt), all));
  EXPECT_FALSE(same(sparse, all));
  EXPECT_FALSE(same(tracked(true, std::nullopt), all));
  EXPECT_FALSE(same(tracked(true, 0), sparse));
}

TEST(Holding, SavesWhatIsLookedAt) {
  TrackerConfig config, read;
  config.speed.pooled_memories = true;
  config.speed.sparse_memories = 2;
  read.read_json(config.to_json(), "test");
  EXPECT_TRUE(read.speed.pooled_memories);
  EXPECT_EQ(read.speed.sparse_memories, 2);
}

TEST(Holding, RefusesOptionsThatMakeNoSense) {
  const auto refused = [](auto change, const char* message) {
    auto config = unbatched();
    change(config.speed);
    expect_error(ErrorCode::kInvalidArgument, message, [&] { Scene scene(config); });
  };
  refused([](SpeedOptions& speed) { speed.keyframe_interval = 0; }, "keyframe_interval is 0");
  refused([](SpeedOptions& speed) { speed.still_refresh = 0; }, "still_refresh is 0");
  refused([](SpeedOptions& speed) { speed.recent_memories = -1; }, "recent_memories is -1");
  refused([](SpeedOptions& speed) { speed.recent_pointers = -2; }, "recent_pointers is -2");
  refused([](SpeedOptions& speed) { speed.sparse_memories = -1; }, "sparse_memories is -1");
  refused([](SpeedOptions& speed) { speed.still_change = -0.5; }, "still_change is -0.5");
  refused([](SpeedOptions& speed) { speed.budget_ms = std::nan(""); }, "budget_ms is nan");
}

}  // namespace
}  // namespace vostrack::tracker::test
