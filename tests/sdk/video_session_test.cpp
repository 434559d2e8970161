// A session through the public interface; the tracker's rules have their own tests.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <new>

#include "sdk/small_checkpoint.hpp"
#include "support/errors.hpp"
#include "support/moving_square.hpp"
#include "vostrack/session.hpp"

namespace vostrack::test {
namespace {

Prompt click(Click where) {
  return {{where}, {}, {}, false};
}

VideoSession session(SessionConfig config = {}, SquareClip clip = {}) {
  return VideoSession(load_small_model(), std::make_unique<SquareVideo>(clip), config);
}

std::vector<FrameResult> all(VideoSession& session, const PropagateOptions& options = {}) {
  std::vector<FrameResult> results;
  session.propagate(options, [&](const FrameResult& result) {
    results.push_back(result);
    return true;
  });
  return results;
}

TEST(VideoSession, NamesAndTimesItsResults) {
  auto s = session();
  const auto answer = s.add_prompt(5, 2, click({20, 12}));
  EXPECT_EQ(answer.frame, 2);
  EXPECT_EQ(answer.name, "square2");
  EXPECT_DOUBLE_EQ(answer.pts_s, 0.58);
  const auto results = all(s);
  ASSERT_EQ(results.size(), 6U);
  for (std::size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].frame, static_cast<std::int64_t>(i) + 2);
    EXPECT_EQ(results[i].name, "square" + std::to_string(i + 2));
    EXPECT_DOUBLE_EQ(results[i].pts_s, 0.5 + static_cast<double>(i + 2) / 25);
    EXPECT_EQ(results[i].height, 48);
    EXPECT_EQ(results[i].width, 72);
    ASSERT_EQ(results[i].objects.size(), 1U);
    const auto& object = results[i].objects[0];
    EXPECT_EQ(object.object_id(), 5);
    EXPECT_TRUE(object.has_output());
    EXPECT_TRUE(object.visible());
    const auto mask = object.mask();
    const auto logits = object.logits();
    ASSERT_EQ(mask.data.size(), 48U * 72U);
    for (std::size_t p = 0; p < mask.data.size(); ++p)
      ASSERT_EQ(mask.data[p], logits.data[p] > 0 ? 1 : 0);
  }
}

TEST(VideoSession, ListsObjectsAndTheirPrompts) {
  auto s = session();
  EXPECT_TRUE(s.objects().empty());
  Prompt box;
  box.box = Box{4, 4, 20, 20};
  box.clicks = {{10, 10}};
  Prompt more = click({60, 40, false});
  more.add_to_earlier_clicks = true;
  Prompt mask;
  mask.mask = SquareClip{}.mask(1, 4);
  s.add_prompt(9, 3, box);
  s.add_prompt(9, 3, more);
  s.add_prompt(2, 4, mask);
  s.add_prompt(9, 1, click({30, 20}));
  all(s, {1, 2, Direction::kForward});

  const auto objects = s.objects();
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].object_id, 9);
  ASSERT_EQ(objects[0].prompts.size(), 2U);
  EXPECT_EQ(objects[0].prompts[0].frame, 1);
  EXPECT_FALSE(objects[0].prompts[0].box.has_value());
  EXPECT_EQ(objects[0].prompts[1].frame, 3);
  ASSERT_EQ(objects[0].prompts[1].clicks.size(), 2U);
  EXPECT_EQ(objects[0].prompts[1].clicks[1].x, 60);
  EXPECT_FALSE(objects[0].prompts[1].clicks[1].positive);
  ASSERT_TRUE(objects[0].prompts[1].box.has_value());
  EXPECT_EQ(objects[0].prompts[1].box->x1, 20);
  EXPECT_EQ(objects[0].conditioning_frames, 2);
  EXPECT_EQ(objects[0].tracked_frames, 1);
  EXPECT_EQ(objects[1].object_id, 2);
  ASSERT_EQ(objects[1].prompts.size(), 1U);
  EXPECT_TRUE(objects[1].prompts[0].mask);
  EXPECT_TRUE(objects[1].prompts[0].clicks.empty());
  EXPECT_EQ(objects[1].tracked_frames, 3);

  s.remove_object(9);
  EXPECT_EQ(s.objects().size(), 1U);
  s.reset();
  EXPECT_TRUE(s.objects().empty());
}

TEST(VideoSession, ListsObjectsWithoutOutputAsAbsent) {
  auto s = session();
  s.add_prompt(1, 0, click({20, 12}));
  const auto answer = s.add_prompt(2, 5, click({50, 36}));
  ASSERT_EQ(answer.objects.size(), 2U);
  EXPECT_FALSE(answer.objects[0].has_output());
  EXPECT_FALSE(answer.objects[0].visible());
  EXPECT_EQ(answer.objects[0].logits().data[0], -1024);
  for (const auto pixel : answer.objects[0].mask().data) ASSERT_EQ(pixel, 0);
}

TEST(VideoSession, GivesEachPixelToOneObjectWhenAsked) {
  Prompt whole;  // two objects with the same mask overlap everywhere
  whole.mask = SquareClip{}.mask(0, 0);
  for (const bool apart : {false, true}) {
    SessionConfig config;
    config.non_overlapping = apart;
    auto s = session(config);
    s.add_prompt(1, 0, whole);
    s.add_prompt(2, 0, whole);
    std::int64_t shared = 0;
    for (const auto& result : all(s)) {
      const auto first = result.objects[0].mask(), second = result.objects[1].mask();
      for (std::size_t i = 0; i < first.data.size(); ++i) shared += first.data[i] && second.data[i];
    }
    EXPECT_EQ(shared == 0, apart) << shared << " pixels are in both";
  }
}

TEST(VideoSession, AnswersOutliveTheSession) {
  std::optional<FrameResult> kept;
  {
    auto s = session();
    kept = s.add_prompt(1, 0, click({20, 12}));
  }
  EXPECT_EQ(kept->objects[0].mask().data.size(), 48U * 72U);
}

TEST(VideoSession, SaysWhatIsWrong) {
  expect_error(ErrorCode::kInvalidArgument, "no frame source",
               [] { VideoSession(load_small_model(), nullptr); });
  SessionConfig config;
  config.cached_frames = 0;
  expect_error(ErrorCode::kInvalidArgument, "cached_frames is 0", [&] { session(config); });
  config = {};
  config.fill_hole_area = -3;
  expect_error(ErrorCode::kInvalidArgument, "fill_hole_area is -3", [&] { session(config); });
  auto s = session();
  expect_error(ErrorCode::kInvalidArgument, "prompt is empty", [&] { s.add_prompt(1, 0, {}); });
  EXPECT_TRUE(s.objects().empty());
  expect_error(ErrorCode::kFailedState, "no object", [&] { all(s); });
  expect_error(ErrorCode::kNotFound, "object 4", [&] { s.remove_object(4); });
  s.add_prompt(1, 0, click({20, 12}));
  expect_error(ErrorCode::kInvalidArgument, "on_frame", [&] { s.propagate({}, nullptr); });
}

/// A video whose pictures change their size on the way.
class Growing : public SquareVideo {
 public:
  Frame read(std::int64_t index) override {
    SquareClip clip;
    if (index >= 2) clip.width += 2;
    return {clip.picture(index), index, 0, ""};
  }
};

/// A video with a picture that needs more memory than any machine has.
class Huge : public SquareVideo {
 public:
  explicit Huge(bool* enough, bool torch) : enough_(enough), torch_(torch) {}
  Frame read(std::int64_t index) override {
    if (index == 2 && !*enough_) {
      if (!torch_) throw std::bad_alloc();
      torch::empty({std::int64_t{1} << 46}, torch::kUInt8);
    }
    return SquareVideo::read(index);
  }

 private:
  bool* enough_;
  bool torch_;
};

TEST(VideoSession, GoesOnOnceThereIsMemoryAgain) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the address sanitizer ends the program where memory runs out";
#endif
  for (const bool torch : {false, true}) {
    bool enough = false;
    VideoSession s(load_small_model(), std::make_unique<Huge>(&enough, torch));
    auto other = session();
    for (VideoSession* each : {&s, &other}) each->add_prompt(1, 0, click({20, 12}));
    auto propagation = other.start();
    propagation.next();
    expect_error(ErrorCode::kOutOfMemory, torch ? "can't allocate memory" : "out of memory",
                 [&] { all(s); });
    enough = true;
    const auto got = all(s);
    ASSERT_EQ(got.size(), 8U);
    for (std::size_t i = 1; i < got.size(); ++i)
      EXPECT_EQ(got[i].objects[0].logits().data, propagation.next()->objects[0].logits().data);
  }
}

TEST(VideoSession, RefusesPicturesOfAnotherSize) {
  VideoSession s(load_small_model(), std::make_unique<Growing>());
  s.add_prompt(1, 0, click({20, 12}));
  expect_error(ErrorCode::kDecode, "frame 2 is 48×74 (height × width), want the video's 48×72",
               [&] { all(s); });
}

}  // namespace
}  // namespace vostrack::test
