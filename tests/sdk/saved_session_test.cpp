// Saving, forking, pulling and measuring through the public interface; the tracker's rules have
// their own tests.
#include <gtest/gtest.h>

#include <thread>

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

VideoSession open_session(SquareClip clip = {}) {
  return VideoSession(load_small_model(), std::make_unique<SquareVideo>(clip));
}

std::vector<Logits> track(VideoSession& session) {
  std::vector<Logits> logits;
  session.propagate({}, [&](const FrameResult& result) {
    for (const ObjectResult& object : result.objects) logits.push_back(object.logits());
    return true;
  });
  return logits;
}

void expect_equal(const std::vector<Logits>& got, const std::vector<Logits>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_EQ(got[i].data, want[i].data) << i;
}

TEST(VideoSession, IsSavedAndLoaded) {
  const TemporaryFolder folder;
  auto session = open_session();
  session.add_prompt(1, 0, click(12, 12));
  track(session);
  session.add_prompt(1, 4, click(20, 12));
  session.save(folder / "clip.session");
  auto again = VideoSession::load(folder / "clip.session", load_small_model(),
                                  std::make_unique<SquareVideo>());
  EXPECT_EQ(again.objects().at(0).prompts.size(), 2U);
  expect_equal(track(again), track(session));
}

TEST(VideoSession, GoesOnInAnotherPrecision) {
  const auto model = [](Precision precision) {
    ModelOptions options;
    options.precision = precision;
    return load_small_model(options);
  };
  std::vector<Precision> precisions = {Precision::kFloat32, Precision::kBFloat16, Precision::kInt8};
  try {
    model(Precision::kInt8);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    precisions.pop_back();  // not on this processor
  }
  const TemporaryFolder folder;
  for (const auto from : precisions) {
    VideoSession session(model(from), std::make_unique<SquareVideo>());
    session.add_prompt(1, 0, click(12, 12));
    track(session);
    session.save(folder / "s");
    for (const auto to : precisions) {
      auto again = VideoSession::load(folder / "s", model(to), std::make_unique<SquareVideo>());
      EXPECT_EQ(again.objects().at(0).prompts.size(), 1U);
      if (from == to)
        expect_equal(track(again), track(session));
      else
        EXPECT_EQ(track(again).size(), track(session).size());
    }
  }
}

TEST(VideoSession, KeepsItsConfigurationWhenSaved) {
  const TemporaryFolder folder;
  SessionConfig config;
  config.non_overlapping = true;
  config.max_bytes = 123'456'789;
  VideoSession session(load_small_model(), std::make_unique<SquareVideo>(), config);
  session.save(folder / "s");
  const auto load = [&](std::optional<SessionConfig> other) {
    return VideoSession::load(folder / "s", load_small_model(), std::make_unique<SquareVideo>(),
                              other);
  };
  EXPECT_EQ(load(std::nullopt).memory_usage().max_bytes, 123'456'789);
  config.max_bytes = std::nullopt;
  EXPECT_EQ(load(config).memory_usage().max_bytes, std::nullopt);
}

TEST(VideoSession, IsNotLoadedWithAnotherVideoOrModel) {
  const TemporaryFolder folder;
  auto session = open_session();
  session.add_prompt(1, 0, click(12, 12));
  session.save(folder / "s");
  SquareClip longer;
  longer.frames = 9;
  expect_error(ErrorCode::kInvalidArgument, "session of another video", [&] {
    VideoSession::load(folder / "s", load_small_model(), std::make_unique<SquareVideo>(longer));
  });
  ModelOptions options;
  options.image_size = 96;
  expect_error(ErrorCode::kModelMismatch, "was saved with the model", [&] {
    VideoSession::load(folder / "s", load_small_model(options), std::make_unique<SquareVideo>());
  });
  const std::string bytes = read_bytes(folder / "s");
  write_bytes(folder / "cut", bytes.substr(0, bytes.size() / 2));
  expect_error(ErrorCode::kCorruptFile, "cut", [&] {
    VideoSession::load(folder / "cut", load_small_model(), std::make_unique<SquareVideo>());
  });
  StreamTracker stream(load_small_model());
  stream.save(folder / "stream");
  expect_error(ErrorCode::kCorruptFile, "holds a vostrack stream session", [&] {
    VideoSession::load(folder / "stream", load_small_model(), std::make_unique<SquareVideo>());
  });
  expect_error(ErrorCode::kNotFound, "folder", [&] { session.save(folder / "no/folder"); });
}

TEST(VideoSession, ForksGoTheirOwnWays) {
  auto session = open_session();
  session.add_prompt(1, 0, click(12, 12));
  const auto before = track(session);
  auto fork = session.clone();
  auto apart = session.clone(std::make_unique<SquareVideo>());
  fork.add_prompt(1, 3, click(40, 30));
  std::vector<Logits> corrected;
  std::thread beside([&] { corrected = track(fork); });  // they share the source
  expect_equal(track(session), before);
  beside.join();
  EXPECT_EQ(session.objects().at(0).prompts.size(), 1U);
  EXPECT_EQ(fork.objects().at(0).prompts.size(), 2U);
  EXPECT_NE(corrected.at(5).data, before.at(5).data);
  expect_equal(track(apart), before);
  SquareClip longer;
  longer.frames = 9;
  expect_error(ErrorCode::kInvalidArgument, "another video",
               [&] { session.clone(std::make_unique<SquareVideo>(longer)); });
}

TEST(VideoSession, HandsResultsOutOneByOne) {
  auto session = open_session();
  session.add_prompt(1, 0, click(12, 12));
  auto propagation = session.start({/*start=*/2, /*count=*/2, Direction::kForward});
  EXPECT_EQ(propagation.next()->frame, 2);
  EXPECT_EQ(propagation.next()->frame, 3);
  session.cancel();
  EXPECT_FALSE(propagation.next());
}

TEST(VideoSession, LetsTheCallerChooseAMask) {
  auto session = open_session();
  const auto proposals = session.propose(1, 0, click(12, 12));
  ASSERT_EQ(proposals.size(), 3U);
  EXPECT_TRUE(session.objects().empty());
  auto prompt = click(12, 12);
  prompt.candidate = 2;
  EXPECT_EQ(session.add_prompt(1, 0, prompt).objects.at(0).logits().data,
            proposals[2].logits().data);
}

TEST(VideoSession, ReportsWhatItKeeps) {
  auto session = open_session();
  EXPECT_EQ(session.memory_usage().bytes, 0);
  session.add_prompt(1, 0, click(12, 12));
  session.add_prompt(2, 0, click(40, 30));
  track(session);
  const auto usage = session.memory_usage();
  ASSERT_EQ(usage.objects.size(), 2U);
  EXPECT_EQ(usage.objects[0].bytes, usage.objects[1].bytes);
  EXPECT_EQ(usage.bytes, usage.picture_bytes + 2 * usage.objects[0].bytes);
  EXPECT_GT(usage.picture_bytes, 0);
}

TEST(Objects, TravelFromAVideoToAStream) {
  const TemporaryFolder folder;
  auto session = open_session();
  session.add_prompt(5, 0, click(12, 12));
  session.export_object(5, folder / "dog.object");
  StreamTracker tracker(load_small_model());
  EXPECT_EQ(tracker.import_object(folder / "dog.object"), 5);
  const auto result = tracker.track(SquareClip().picture(3), 0.0);
  ASSERT_EQ(result.objects.size(), 1U);
  EXPECT_TRUE(result.objects[0].has_output());
  EXPECT_EQ(result.objects[0].attended_frames(), std::vector<std::int64_t>{-1});
  EXPECT_EQ(tracker.objects().at(0).permanent_frames, std::vector<std::int64_t>{-1});
  EXPECT_TRUE(tracker.objects().at(0).prompts.empty());
}

TEST(StreamTracker, IsSavedLoadedAndForked) {
  const TemporaryFolder folder;
  StreamTracker tracker(load_small_model());
  const SquareClip clip;
  tracker.track(clip.picture(0), 1.0);
  tracker.add_prompt(1, click(12, 12));
  tracker.track(clip.picture(1), 1.5);
  tracker.save(folder / "s");
  auto loaded = StreamTracker::load(folder / "s", load_small_model());
  auto fork = tracker.clone();
  const auto want = tracker.track(clip.picture(2), 2.0).objects.at(0).logits().data;
  EXPECT_EQ(loaded.track(clip.picture(2), 2.0).objects.at(0).logits().data, want);
  EXPECT_EQ(fork.track(clip.picture(2), 2.0).objects.at(0).logits().data, want);
  expect_error(ErrorCode::kInvalidArgument, "time of frame 3",
               [&] { loaded.track(clip.picture(3), 1.9); });
}

TEST(FrameResult, GivesOverlapsToTheHigherLogit) {
  auto session = open_session();
  Prompt both;
  both.mask = SquareClip().mask(0, 0);
  session.add_prompt(7, 0, both);
  const auto result = session.add_prompt(9, 0, click(12, 12));
  const LabelImage labels = result.labels();
  EXPECT_EQ(labels.ids, (std::vector<ObjectId>{7, 9}));
  const auto first = result.objects[0].logits(), second = result.objects[1].logits();
  std::size_t overlaps = 0;
  for (std::size_t i = 0; i < labels.data.size(); ++i) {
    const float a = first.data[i], b = second.data[i];
    const int want = a <= 0 && b <= 0 ? 0 : a >= b ? 1 : 2;
    EXPECT_EQ(labels.data[i], want) << i;
    overlaps += a > 0 && b > 0;
  }
  EXPECT_GT(overlaps, 0U);
}

TEST(ObjectResult, DescribesItsMask) {
  auto session = open_session();
  Prompt prompt;
  prompt.mask = Mask{48, 72, std::vector<std::uint8_t>(48 * 72, 0)};
  for (int y = 8; y < 24; ++y)
    for (int x = 16; x < 48; ++x) prompt.mask->data[static_cast<std::size_t>(y) * 72 + x] = 1;
  const auto object = session.add_prompt(1, 0, prompt).objects.at(0);
  ASSERT_TRUE(object.centroid());
  EXPECT_NEAR(object.centroid()->x, 32, 1);
  EXPECT_NEAR(object.centroid()->y, 16, 1);
  const auto contours = object.contours();
  ASSERT_EQ(contours.size(), 1U);
  EXPECT_FALSE(contours[0].hole);
  EXPECT_GE(contours[0].points.size(), 4U);
  EXPECT_FALSE(object.rle().empty());

  prompt.mask->data.assign(48 * 72, 0);
  const auto absent = session.add_prompt(2, 0, prompt).objects.at(1);
  EXPECT_FALSE(absent.centroid());
  EXPECT_TRUE(absent.contours().empty());
}

}  // namespace
}  // namespace vostrack::test
