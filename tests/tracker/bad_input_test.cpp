// Whatever is wrong with a call, it says so and changes nothing.
#include <cmath>
#include <limits>

#include "tracker/tracker_support.hpp"

namespace vostrack::tracker::test {
namespace {

struct BadPrompt {
  const char* what;
  ErrorCode code;
  const char* text;
  Prompt prompt;
  FrameIndex frame = 3;
};

Prompt clicks(std::vector<Click> clicks) {
  return {std::move(clicks), {}, {}, false};
}
Prompt box(Box box) {
  return {{}, box, {}, false};
}
Prompt mask(int height, int width, std::size_t bytes) {
  return {{}, {}, Mask{height, width, std::vector<std::uint8_t>(bytes, 1)}, false};
}

std::vector<BadPrompt> bad_prompts() {
  constexpr auto kBad = ErrorCode::kInvalidArgument;
  constexpr auto kOut = ErrorCode::kOutOfRange;
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Prompt mask_and_click = mask(48, 72, 48 * 72);
  mask_and_click.clicks = {{1, 1}};
  Prompt mask_and_box = mask(48, 72, 48 * 72);
  mask_and_box.box = Box{1, 1, 2, 2};
  Prompt added_mask = mask(48, 72, 48 * 72);
  added_mask.add_to_earlier_clicks = true;
  Prompt added_box = box({1, 1, 9, 9});
  added_box.add_to_earlier_clicks = true;
  return {
      {"nothing", kBad, "prompt is empty", {}},
      {"NaN click", kBad, "click is (nan, 4), want finite", clicks({{5, 5}, {kNaN, 4}})},
      {"infinite click", kBad, "want finite", clicks({{4, kInfinity}})},
      {"click left of it", kOut, "click is (-1, 4), want 0 to 72", clicks({{-1, 4}})},
      {"click right of it", kOut, "want 0 to 72", clicks({{72.5F, 4}})},
      {"click below it", kOut, "0 to 48 for y", clicks({{4, 48.5F}})},
      {"NaN box", kBad, "box corner", box({1, kNaN, 3, 4})},
      {"box outside", kOut, "box corner is (80, 9)", box({1, 1, 80, 9})},
      {"box without width", kBad, "want x0 < x1", box({5, 5, 5, 9})},
      {"box upside down", kBad, "y0 < y1", box({5, 9, 8, 5})},
      {"box after clicks", kBad, "box cannot be added to earlier clicks", added_box},
      {"mask of another size", kBad, "mask is 72×48 (height × width)", mask(72, 48, 48 * 72)},
      {"mask without its bytes", kBad, "mask has 100 bytes", mask(48, 72, 100)},
      {"mask and click", kBad, "a mask prompt comes alone, got 1 clicks", mask_and_click},
      {"mask and box", kBad, "and a box", mask_and_box},
      {"mask after clicks", kBad, "mask cannot be added", added_mask},
      {"frame before the first", kOut, "frame is -1, want 0 to 7", clicks({{4, 4}}), -1},
      {"frame after the last", kOut, "frame is 8, want 0 to 7", clicks({{4, 4}}), 8},
  };
}

TEST(BadPrompt, SaysWhatIsWrongAndChangesNothing) {
  Scene scene;
  scene.click(1, 0);
  scene.propagate();
  scene.click(1, 3);  // pending
  const auto before = state_of(scene.tracker);
  for (const auto& bad : bad_prompts()) {
    SCOPED_TRACE(bad.what);
    for (const ObjectId id : {1, 2}) {
      expect_error(bad.code, bad.text,
                   [&] { scene.tracker.add_prompt(id, bad.frame, bad.prompt); });
      EXPECT_TRUE(state_of(scene.tracker) == before);
    }
  }
  Scene control;
  control.click(1, 0);
  control.propagate();
  control.click(1, 3);
  EXPECT_TRUE(same_answers(scene.propagate()[1], control.propagate()[1]));
}

TEST(BadPrompt, MayTouchThePicturesEdge) {
  Scene scene;
  EXPECT_NO_THROW(scene.click(1, 0, {0, 0}));
  EXPECT_NO_THROW(scene.click(1, 0, {72, 48}));
  EXPECT_NO_THROW(scene.tracker.add_prompt(1, 7, box({0, 0, 72, 48})));
}

TEST(BadCall, NamesAnUnknownObject) {
  Scene scene;
  scene.click(1, 0);
  const auto before = state_of(scene.tracker);
  expect_error(ErrorCode::kNotFound, "there is no object 42",
               [&] { scene.tracker.remove_object(42); });
  expect_error(ErrorCode::kNotFound, "there is no object 42",
               [&] { scene.tracker.clear_prompts(42, 0); });
  expect_error(ErrorCode::kOutOfRange, "frame is 8", [&] { scene.tracker.clear_prompts(1, 8); });
  EXPECT_TRUE(state_of(scene.tracker) == before);
}

TEST(BadCall, RefusesToPropagateWithoutPrompts) {
  Scene scene;
  expect_error(ErrorCode::kFailedState, "no object", [&] { scene.propagate(); });
}

TEST(BadCall, NamesTheObjectWhoseOnlyPromptWasCleared) {
  Scene scene;
  scene.click(1, 0);
  scene.click(77, 2);
  EXPECT_EQ(scene.tracker.clear_prompts(77, 2).objects.at(1).output, nullptr);
  const auto before = state_of(scene.tracker);
  expect_error(ErrorCode::kFailedState, "object 77 has no prompted frame",
               [&] { scene.propagate(); });
  EXPECT_TRUE(state_of(scene.tracker) == before);
  scene.tracker.remove_object(77);
  EXPECT_EQ(scene.propagate()[1].size(), 8U);
}

TEST(BadCall, RefusesARangeOutsideTheVideo) {
  Scene scene;
  scene.click(1, 0);
  const auto before = state_of(scene.tracker);
  expect_error(ErrorCode::kOutOfRange, "frame is 8", [&] { scene.propagate({8, {}, false}); });
  expect_error(ErrorCode::kOutOfRange, "frame is -1", [&] { scene.propagate({-1, {}, true}); });
  expect_error(ErrorCode::kInvalidArgument, "is -2, want at least 0", [&] {
    scene.propagate({0, -2, false});
  });
  EXPECT_TRUE(state_of(scene.tracker) == before);
}

TEST(BadCall, NamesTheFieldOfTheConfiguration) {
  TrackerConfig config;
  config.cached_frames = 0;
  expect_error(ErrorCode::kInvalidArgument, "cached_frames is 0", [&] { Scene scene(config); });
  config = {};
  config.fill_hole_area = -1;
  expect_error(ErrorCode::kInvalidArgument, "fill_hole_area is -1", [&] { Scene scene(config); });
  config = {};
  config.remove_sprinkle_area = -1;
  expect_error(ErrorCode::kInvalidArgument, "remove_sprinkle_area is -1",
               [&] { Scene scene(config); });
}

TEST(BadCall, RefusesAnEmptyVideo) {
  SquareClip empty;
  empty.frames = 0;
  expect_error(ErrorCode::kInvalidArgument, "0 frames", [&] { Scene scene(unbatched(), empty); });
}

}  // namespace
}  // namespace vostrack::tracker::test
