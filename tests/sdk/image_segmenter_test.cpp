// One picture, any number of prompts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sdk/small_checkpoint.hpp"
#include "support/errors.hpp"
#include "support/moving_square.hpp"
#include "vostrack/image.hpp"

namespace vostrack::test {
namespace {

Prompt click(float x, float y) {
  return {{{x, y}}, {}, {}, false};
}
Prompt box(Box box) {
  return {{}, box, {}, false};
}

double worst(const Logits& a, const Logits& b) {
  EXPECT_EQ(a.data.size(), b.data.size());
  double worst = 0;
  for (std::size_t i = 0; i < std::min(a.data.size(), b.data.size()); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(a.data[i] - b.data[i])));
  return worst;
}

struct Scene {
  explicit Scene(ImageConfig config = {}) : segmenter(load_small_model(), config) {
    segmenter.set_image(clip.picture(0), "first");
  }
  SquareClip clip;
  ImageSegmenter segmenter;
};

TEST(ImageSegmenter, NeedsAPictureFirst) {
  ImageSegmenter segmenter(load_small_model());
  expect_error(ErrorCode::kFailedState, "no picture", [&] { segmenter.predict(click(1, 1)); });
  expect_error(ErrorCode::kFailedState, "no picture", [&] { segmenter.predict_boxes({}); });
  expect_error(ErrorCode::kInvalidArgument, "picture is 0×0", [&] { segmenter.set_image({}); });
  expect_error(ErrorCode::kInvalidArgument, "with 5 bytes", [&] {
    segmenter.set_image({4, 4, std::vector<std::uint8_t>(5)});
  });
  expect_error(ErrorCode::kFailedState, "no picture", [&] { segmenter.predict(click(1, 1)); });
}

TEST(ImageSegmenter, RanksByPredictedIou) {
  Scene scene;
  const auto candidates = scene.segmenter.predict(click(12, 12));
  ASSERT_EQ(candidates.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(candidates, std::greater<>(), &MaskCandidate::predicted_iou));
  const auto mask = candidates[0].mask();
  EXPECT_EQ(mask.height, 48);
  EXPECT_EQ(mask.width, 72);
  const auto logits = candidates[0].logits();
  for (std::size_t i = 0; i < mask.data.size(); ++i)
    ASSERT_EQ(mask.data[i], logits.data[i] > 0 ? 1 : 0);
  EXPECT_EQ(candidates[0].low_res_logits().height, 16);
}

TEST(ImageSegmenter, ProposesThreeForASingleClickAlone) {
  Scene scene;
  const auto count = [&](const Prompt& prompt, MaskCount masks) {
    PredictOptions options;
    options.masks = masks;
    return scene.segmenter.predict(prompt, options).size();
  };
  Prompt two = click(12, 12);
  two.clicks.push_back({60, 40, false});
  Prompt both = click(12, 12);
  both.box = Box{4, 4, 20, 20};
  EXPECT_EQ(count(click(12, 12), MaskCount::kAuto), 3U);
  EXPECT_EQ(count(two, MaskCount::kAuto), 1U);
  EXPECT_EQ(count(both, MaskCount::kAuto), 1U);
  EXPECT_EQ(count(box({4, 4, 20, 20}), MaskCount::kAuto), 1U);
  EXPECT_EQ(count(click(12, 12), MaskCount::kOne), 1U);
  EXPECT_EQ(count(two, MaskCount::kThree), 3U);
  PredictOptions refine;
  refine.previous = scene.segmenter.predict(click(12, 12))[0].low_res_logits();
  EXPECT_EQ(scene.segmenter.predict(click(12, 12), refine).size(), 1U);
}

TEST(ImageSegmenter, TakesFractionsForPixels) {
  Scene scene;
  PredictOptions fractions;
  fractions.coordinates = Coordinates::kFractions;
  Prompt pixels = click(18, 12), parts = click(0.25F, 0.25F);
  pixels.box = Box{9, 6, 36, 24};
  parts.box = Box{0.125F, 0.125F, 0.5F, 0.5F};
  EXPECT_EQ(worst(scene.segmenter.predict(pixels)[0].logits(),
                  scene.segmenter.predict(parts, fractions)[0].logits()),
            0);
  EXPECT_EQ(worst(scene.segmenter.predict_boxes({*pixels.box})[0][0].logits(),
                  scene.segmenter.predict_boxes({*parts.box}, fractions)[0][0].logits()),
            0);
  expect_error(ErrorCode::kOutOfRange, "click",
               [&] { scene.segmenter.predict(click(1.5F, 0.5F), fractions); });
}

TEST(ImageSegmenter, RefusesBadPrompts) {
  Scene scene;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Prompt mask;
  mask.mask = scene.clip.mask(0, 0);
  constexpr auto kBad = ErrorCode::kInvalidArgument;
  auto& segmenter = scene.segmenter;
  expect_error(kBad, "prompt is empty", [&] { segmenter.predict({}); });
  expect_error(kBad, "got a mask", [&] { segmenter.predict(mask); });
  expect_error(kBad, "finite", [&] { segmenter.predict(click(nan, 1)); });
  expect_error(kBad, "x0 < x1", [&] { segmenter.predict(box({5, 5, 5, 9})); });
  expect_error(kBad, "x0 < x1", [&] { segmenter.predict_boxes({{1, 1, 9, 9}, {5, 5, 5, 9}}); });
  expect_error(ErrorCode::kOutOfRange, "0 to 72", [&] { segmenter.predict(click(73, 1)); });
  PredictOptions options;
  options.previous = Logits{8, 8, std::vector<float>(64)};
  expect_error(kBad, "previous logits are 8×8, want 16×16",
               [&] { segmenter.predict(click(1, 1), options); });
  options.previous = Logits{16, 16, std::vector<float>(64)};
  expect_error(kBad, "previous logits", [&] { segmenter.predict(click(1, 1), options); });
  options.previous = Logits{16, 16, std::vector<float>(256, nan)};
  expect_error(kBad, "NaN", [&] { segmenter.predict(click(1, 1), options); });
}

TEST(ImageSegmenter, RefinesEarlierLogits) {
  Scene scene;
  PredictOptions options;
  options.masks = MaskCount::kOne;
  const auto plain = scene.segmenter.predict(click(12, 12), options)[0];
  options.previous = Logits{16, 16, std::vector<float>(256, 20)};
  const auto refined = scene.segmenter.predict(click(12, 12), options)[0];
  EXPECT_GT(worst(plain.logits(), refined.logits()), 0);
}

TEST(ImageSegmenter, AnswersABatchOfBoxesAsOneByOne) {
  Scene scene;
  const std::vector<Box> boxes = {{4, 4, 20, 20}, {30, 10, 70, 40}, {0, 0, 72, 48}};
  for (const auto count : {MaskCount::kOne, MaskCount::kThree}) {
    PredictOptions options;
    options.masks = count;
    const auto batch = scene.segmenter.predict_boxes(boxes, options);
    ASSERT_EQ(batch.size(), boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const auto single = scene.segmenter.predict(box(boxes[i]), options);
      ASSERT_EQ(batch[i].size(), single.size());
      for (std::size_t m = 0; m < single.size(); ++m) {
        EXPECT_LE(worst(batch[i][m].logits(), single[m].logits()), 1e-3);
        EXPECT_NEAR(batch[i][m].predicted_iou(), single[m].predicted_iou(), 1e-3);
      }
    }
  }
  EXPECT_GT(worst(scene.segmenter.predict_boxes(boxes)[0][0].logits(),
                  scene.segmenter.predict_boxes(boxes)[1][0].logits()),
            0);
  EXPECT_TRUE(scene.segmenter.predict_boxes({}).empty());
}

TEST(ImageSegmenter, KeepsAsManyEmbeddingsAsAskedFor) {
  ImageConfig config;
  config.cached_images = 2;
  Scene scene(config);
  const auto answer = [&] { return scene.segmenter.predict(click(30, 20))[0].logits(); };
  const auto first = answer();
  // With a key that is known, the picture itself is not looked at.
  scene.segmenter.set_image(scene.clip.picture(5), "first");
  EXPECT_EQ(worst(answer(), first), 0);
  scene.segmenter.set_image(scene.clip.picture(5), "second");
  EXPECT_GT(worst(answer(), first), 0);
  scene.segmenter.set_image(scene.clip.picture(5), "first");
  EXPECT_EQ(worst(answer(), first), 0);
  scene.segmenter.set_image(scene.clip.picture(3), "third");  // the second goes
  scene.segmenter.set_image(scene.clip.picture(0), "second");
  EXPECT_EQ(worst(answer(), first), 0) << "the second picture is encoded anew, from frame 0";
  // Without a key, always encoded.
  scene.segmenter.set_image(scene.clip.picture(5));
  EXPECT_GT(worst(answer(), first), 0);
}

TEST(ImageSegmenter, NamesTheFieldOfTheConfiguration) {
  ImageConfig config;
  config.cached_images = 0;
  expect_error(ErrorCode::kInvalidArgument, "cached_images is 0",
               [&] { ImageSegmenter(load_small_model(), config); });
  config = {};
  config.fill_hole_area = -1;
  expect_error(ErrorCode::kInvalidArgument, "fill_hole_area is -1",
               [&] { ImageSegmenter(load_small_model(), config); });
}

}  // namespace
}  // namespace vostrack::test
