#include "train/prompts.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <set>

#include "nn/prompt_encoder.hpp"
#include "support/errors.hpp"
#include "support/tensors.hpp"

namespace vostrack::train {
namespace {

constexpr int kSize = 32;

/// A clip with two squares, or a picture with them.
NumberedClip squares(std::int64_t index, int frames, bool picture = false) {
  Clip clip{torch::zeros({frames, 3, kSize, kSize}, torch::kUInt8),
            torch::zeros({frames, 2, kSize, kSize}, torch::kUInt8), picture};
  clip.masks.select(1, 0).slice(1, 4, 12).slice(2, 4, 12).fill_(1);
  clip.masks.select(1, 1).slice(1, 20, 30).slice(2, 18, 30).fill_(1);
  return {index, clip};
}

Batch batch_of(const std::vector<NumberedClip>& clips) {
  return collate(clips, {.image_size = kSize}).front();
}

bool inside(const torch::Tensor& mask, const torch::Tensor& point) {
  return mask[static_cast<std::int64_t>(point[1].item<float>())]
             [static_cast<std::int64_t>(point[0].item<float>())]
                 .item<std::uint8_t>() == 1;
}

TEST(RandomPrompter, ClicksOnTheObjectFirst) {
  const auto batch = batch_of({squares(0, 2), squares(1, 2)});
  for (std::uint64_t step = 0; step < 20; ++step) {
    RandomPrompter prompter({}, batch, 1, step);
    const auto points = prompter.click({0, 1, 2, 3}, batch.masks.select(1, 0), {});
    ASSERT_EQ(points.count(), 1);
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(inside(batch.masks[i][0], points.coords[i][0]));
      EXPECT_EQ(points.labels[i][0].item<int>(), nn::kPositive);
    }
  }
}

TEST(RandomPrompter, CorrectsWhatIsMissedAndWhatIsTooMuch) {
  const auto batch = batch_of({squares(0, 1)});
  const auto truth = batch.masks.select(1, 0);
  auto predicted = torch::zeros({2, kSize, kSize}, torch::kBool);
  predicted[0].slice(0, 4, 12).slice(1, 4, 8).fill_(true);  // half of the object
  predicted[1] = truth[1] == 1;
  predicted[1].slice(0, 0, 3).fill_(true);  // and something beside it
  PromptOptions options;
  options.from_truth_probability = 0;
  for (std::uint64_t step = 0; step < 20; ++step) {
    RandomPrompter prompter(options, batch, 1, step);
    const auto points = prompter.click({0, 1}, truth, predicted);
    EXPECT_EQ(points.labels[0][0].item<int>(), nn::kPositive);
    EXPECT_GE(points.coords[0][0][0].item<float>(), 8);
    EXPECT_EQ(points.labels[1][0].item<int>(), nn::kNegative);
    EXPECT_LT(points.coords[1][0][1].item<float>(), 3);
  }
}

TEST(RandomPrompter, DrawsCorrectionsFromTheTruthNowAndThen) {
  const auto batch = batch_of({squares(0, 1)});
  const auto truth = batch.masks.select(1, 0);
  auto predicted = truth == 1;
  predicted[0].slice(0, 0, 1).fill_(true);  // the error is in the first row
  int from_truth = 0;
  for (std::uint64_t step = 0; step < 400; ++step) {
    RandomPrompter prompter({.from_truth_probability = 0.25}, batch, 1, step);
    from_truth += prompter.click({0}, truth.slice(0, 0, 1), predicted.slice(0, 0, 1))
                      .labels[0][0]
                      .item<int>() == nn::kPositive;
  }
  EXPECT_NEAR(from_truth, 100, 35);
}

TEST(RandomPrompter, ClicksInTheMiddleIfAskedTo) {
  const auto batch = batch_of({squares(0, 1)});
  const auto truth = batch.masks.select(1, 0);
  RandomPrompter prompter({.centred_probability = 1}, batch, 1, 0);
  const auto first = prompter.click({0, 1}, truth, {});
  EXPECT_TRUE(test::same(first.coords[0], torch::tensor({{7.f, 7.f}})));
  EXPECT_TRUE(test::same(first.coords[1], torch::tensor({{22.f, 24.f}})));

  auto predicted = truth == 1;
  predicted[0].slice(0, 4, 12).slice(1, 7, 12).fill_(false);  // the right part is missed
  predicted[1].slice(0, 0, 9).slice(1, 0, 9).fill_(true);     // the corner is too much
  const auto second = prompter.click({0, 1}, truth, predicted);
  EXPECT_TRUE(test::same(second.coords[0], torch::tensor({{9.f, 6.f}})));
  EXPECT_EQ(second.labels[0][0].item<int>(), nn::kPositive);
  EXPECT_TRUE(test::same(second.coords[1], torch::tensor({{4.f, 4.f}})));
  EXPECT_EQ(second.labels[1][0].item<int>(), nn::kNegative);

  // Nothing is wrong: as without centring.
  EXPECT_EQ(prompter.click({0, 1}, truth, truth == 1).labels[0][0].item<int>(), nn::kNegative);
}

TEST(RandomPrompter, CentresOnLargeMasksToo) {
  constexpr int kLarge = 336;  // looked at in steps of three pixels
  Clip clip{torch::zeros({1, 3, kLarge, kLarge}, torch::kUInt8),
            torch::zeros({1, 1, kLarge, kLarge}, torch::kUInt8), true};
  clip.masks.slice(2, 60, 160).slice(3, 200, 300).fill_(1);
  const auto batch = collate({{0, clip}}, {.image_size = kLarge}).front();
  RandomPrompter prompter({.centred_probability = 1}, batch, 1, 0);
  const auto points = prompter.click({0}, batch.masks.select(1, 0), {});
  EXPECT_TRUE(test::near(points.coords[0], torch::tensor({{250.f, 110.f}}), 3));
}

TEST(RandomPrompter, LeavesOutIgnoredPixels) {
  auto numbered = squares(0, 1);
  numbered.clip.masks.slice(2, 0, 2).fill_(255);
  const auto batch = batch_of({numbered});
  const auto truth = batch.masks.select(1, 0);
  auto predicted = torch::zeros({2, kSize, kSize}, torch::kBool);
  predicted.slice(1, 0, 2).fill_(true);
  predicted = predicted.logical_or(truth == 1);
  PromptOptions options;
  options.from_truth_probability = 0;
  for (std::uint64_t step = 0; step < 20; ++step) {
    RandomPrompter prompter(options, batch, 1, step);
    const auto points = prompter.click({0, 1}, truth, predicted);
    EXPECT_GE(points.coords[0][0][1].item<float>(), 2);
  }
}

TEST(RandomPrompter, DrawsBoxesAroundTheObject) {
  const auto batch = batch_of({squares(0, 1)});
  for (std::uint64_t step = 0; step < 20; ++step) {
    RandomPrompter prompter({}, batch, 1, step);
    const auto box = prompter.box({0, 1}, batch.masks.select(1, 0));
    EXPECT_TRUE(test::same(box.labels, torch::tensor({{2, 3}, {2, 3}}, torch::kInt32)));
    // A tenth of the sides, 7, 9 and 11 pixels, is the most that they are off.
    EXPECT_TRUE(test::near(box.coords[0], torch::tensor({{4.f, 4.f}, {11.f, 11.f}}), 0.701));
    EXPECT_TRUE(test::near(box.coords[1], torch::tensor({{18.f, 20.f}, {29.f, 29.f}}), 1.101));
  }
}

TEST(RandomPrompter, DrawsExactBoxesWithoutNoise) {
  const auto batch = batch_of({squares(0, 1)});
  RandomPrompter prompter({.box_noise = 0}, batch, 1, 0);
  const auto box = prompter.box({0, 1}, batch.masks.select(1, 0));
  EXPECT_TRUE(test::same(box.coords[0], torch::tensor({{4.f, 4.f}, {11.f, 11.f}})));
  EXPECT_TRUE(test::same(box.coords[1], torch::tensor({{18.f, 20.f}, {29.f, 29.f}})));
}

TEST(RandomPrompter, PutsBackgroundClicksOnNeighbours) {
  const auto batch = batch_of({squares(0, 1, true)});
  RandomPrompter prompter({}, batch, 1, 0);
  const auto points = prompter.clicks_with_background(batch, {0, 1});
  ASSERT_EQ(points.count(), 3);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(inside(batch.masks[i][0], points.coords[i][0]));
    for (int k = 1; k < 3; ++k) {
      EXPECT_EQ(points.labels[i][k].item<int>(), nn::kNegative);
      EXPECT_TRUE(inside(batch.masks[1 - i][0], points.coords[i][k]));
    }
  }
}

TEST(RandomPrompter, PlansEveryObjectOnceAndStartsWithTheFirstFrame) {
  std::vector<NumberedClip> clips;
  for (int i = 0; i < 20; ++i) clips.push_back(squares(i, 6));
  const auto batch = batch_of(clips);
  std::set<std::int64_t> objects;
  RandomPrompter prompter({}, batch, 1, 0);
  const auto plans = prompter.plan(batch);
  EXPECT_EQ(plans.size(), 3);
  for (const auto& plan : plans) {
    for (const auto object : plan.objects) EXPECT_TRUE(objects.insert(object).second);
    EXPECT_EQ(plan.conditioning.front(), 0);
    EXPECT_LE(plan.conditioning.size(), 2);
    if (plan.kind == PromptKind::kMask) {
      EXPECT_TRUE(plan.corrected.empty());
    } else {
      EXPECT_GE(plan.corrected.size(), plan.conditioning.size());
      EXPECT_TRUE(
          std::equal(plan.conditioning.begin(), plan.conditioning.end(), plan.corrected.begin()));
    }
  }
  EXPECT_EQ(objects.size(), 40);
}

TEST(RandomPrompter, DrawsTheSameForAnObjectInAnyBatch) {
  const auto both = batch_of({squares(0, 2), squares(1, 2)});
  const auto second = batch_of({squares(1, 2)});
  RandomPrompter of_both({}, both, 1, 5), of_second({}, second, 1, 5);
  const auto a = of_both.click({2, 3}, both.masks.select(1, 0).slice(0, 2), {});
  const auto b = of_second.click({0, 1}, second.masks.select(1, 0), {});
  EXPECT_TRUE(test::same(a.coords, b.coords));
}

TEST(PromptOptions, RefuseFewerCorrectedThanConditioningFrames) {
  PromptOptions options;
  options.conditioning_frames = 3;
  test::expect_error(ErrorCode::kInvalidArgument, "corrected_frames is 2, want at least 3",
                     [&] { options.validate(); });
}

TEST(Collate, KeepsPicturesAndLengthsApartAndDropsWhatTheFirstFrameLacks) {
  auto absent = squares(3, 2);
  absent.clip.masks[0][1].zero_();
  const auto batches =
      collate({squares(0, 2), squares(1, 3), squares(2, 1, true), absent}, {.image_size = kSize});
  ASSERT_EQ(batches.size(), 3);
  EXPECT_EQ(batches[0].objects(), 3);
  EXPECT_TRUE(test::same(batches[0].clip_of, torch::tensor({0, 0, 1})));
  EXPECT_EQ(batches[0].indices, (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(batches[1].length(), 3);
  EXPECT_TRUE(batches[2].single_pictures);
}

TEST(Collate, LeavesOutObjectsBeyondTheMost) {
  const auto batches =
      collate({squares(0, 2), squares(1, 1, true)}, {.image_size = kSize, .most_objects = 1});
  EXPECT_EQ(batches[0].objects(), 1);
  EXPECT_EQ(batches[1].objects(), 2);
}

TEST(Collate, RefusesClipsOfAnotherSize) {
  test::expect_error(ErrorCode::kInvalidArgument,
                     "clip 7: frames are (2, 3, 32, 32) Byte, want (T, 3, 64, 64) uint8",
                     [] { collate({squares(7, 2)}, {.image_size = 64}); });
}

}  // namespace
}  // namespace vostrack::train
