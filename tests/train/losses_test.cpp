#include "train/losses.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensors.hpp"

namespace vostrack::train {
namespace {

/// One object, two proposals: the second is right.
Step two_proposals() {
  Step step;
  step.truth = torch::zeros({1, 4, 4}, torch::kUInt8);
  step.truth.slice(1, 0, 2).fill_(1);
  const auto right = (step.truth.to(torch::kFloat32) * 2 - 1) * 5;
  step.masks = torch::stack({-right, right}, 1).requires_grad_(true);
  step.ious = torch::tensor({{0.5f, 0.75f}}).requires_grad_(true);
  step.object_score = torch::tensor({{1.0f}}).requires_grad_(true);
  return step;
}

TEST(Losses, ReachOnlyTheBestProposalsMask) {
  const auto step = two_proposals();
  compute_losses({}, {step}, 1, true).total.backward();
  EXPECT_EQ(test::largest(step.masks.grad().select(1, 0)), 0);
  EXPECT_GT(test::largest(step.masks.grad().select(1, 1)), 0);
}

TEST(Losses, SuperviseThePredictedIouOfAllProposalsOrOfTheBest) {
  auto step = two_proposals();
  // The proposals' true IoU is 0 and 1.
  EXPECT_FLOAT_EQ(compute_losses({}, {step}, 1, true).iou.item<float>(), (0.5f + 0.25f) / 2);
  EXPECT_FLOAT_EQ(compute_losses({.iou_of_all = false}, {step}, 1, true).iou.item<float>(), 0.25f);
  EXPECT_FLOAT_EQ(
      compute_losses({.iou_of_all = false, .iou_l1 = false}, {step}, 1, true).iou.item<float>(),
      0.0625f);
}

TEST(Losses, LeaveOutPixelsThatAreToBeIgnored) {
  auto step = two_proposals();
  const auto clean = compute_losses({}, {step}, 1, true);
  auto wrong = two_proposals();
  {
    torch::NoGradGuard no_grad;
    wrong.masks.slice(2, 3).mul_(-1);
  }
  wrong.truth.slice(1, 3).fill_(255);
  auto ignored = compute_losses({}, {wrong}, 1, true);
  EXPECT_NEAR(ignored.focal.item<double>(), clean.focal.item<double>(), 1e-6);
  EXPECT_FLOAT_EQ(ignored.iou.item<float>(), clean.iou.item<float>());
  ignored.total.backward();
  EXPECT_EQ(test::largest(wrong.masks.grad().slice(2, 3)), 0);
}

TEST(Losses, JudgeMasksOnlyWhereTheObjectIs) {
  auto step = two_proposals();
  step.truth.zero_();
  const auto losses = compute_losses({}, {step}, 1, true);
  EXPECT_EQ(losses.focal.item<float>(), 0);
  EXPECT_EQ(losses.dice.item<float>(), 0);
  EXPECT_EQ(losses.iou.item<float>(), 0);
  EXPECT_NEAR(losses.object.item<double>(), std::log1p(std::exp(1.0)), 1e-6);
}

TEST(Losses, CompareAtReducedSizeWithWhatMostPixelsSay) {
  auto step = two_proposals();
  auto uneven = step;
  uneven.truth = step.truth.clone();
  uneven.truth[0][0][0] = 0;    // one pixel of the four of a square that is on,
  uneven.truth[0][3][3] = 1;    // one of a square that is off,
  uneven.truth[0][3][0] = 255;  // and one that is not known
  const LossConfig reduced{.reduction = 2};
  const auto want = compute_losses(reduced, {step}, 1, true);
  const auto got = compute_losses(reduced, {uneven}, 1, true);
  EXPECT_EQ(got.total.item<float>(), want.total.item<float>());

  // Squares are alike all over here, so the size changes only the 1 that dice adds: of 8 pixels on
  // (or 2) the best proposal finds p = sigmoid(5) of each, and as little as 1 - p where it is off.
  const double p = 1 / (1 + std::exp(-5.0));
  const auto dice = [p](double on) { return 1 - (2 * p * on + 1) / (on + on + 1); };
  EXPECT_NEAR(compute_losses({}, {step}, 1, true).dice.item<double>(), dice(8), 1e-6);
  EXPECT_NEAR(want.dice.item<double>(), dice(2), 1e-6);
}

TEST(Losses, JudgeNothingOfAFrameThatIsToBeIgnored) {
  auto step = two_proposals();
  step.truth.fill_(255);
  EXPECT_EQ(compute_losses({}, {step}, 1, true).total.item<float>(), 0);
}

TEST(Losses, ReachMasksOfObjectsBelievedAbsentWhenAsked) {
  auto step = two_proposals();
  step.decoded = step.masks;
  step.masks = torch::full_like(step.decoded, -1024);
  compute_losses({}, {step}, 1, true).total.backward();
  EXPECT_FALSE(step.decoded.grad().defined());
  compute_losses({.blank_absent = false}, {step}, 1, true).total.backward();
  EXPECT_GT(test::largest(step.decoded.grad().select(1, 1)), 0);
}

TEST(Losses, SumOverStepsAndDivideByObjects) {
  const auto step = two_proposals();
  const auto one = compute_losses({}, {step}, 1, true);
  const auto three = compute_losses({}, {step, step, step}, 2, true);
  EXPECT_NEAR(three.total.item<double>(), 1.5 * one.total.item<double>(), 1e-5);
}

TEST(Losses, WeighASingleMaskAndThreeApart) {
  const auto three = two_proposals();
  auto single = two_proposals();
  single.masks = single.masks.detach().slice(1, 0, 1);  // all wrong, half of it on the object
  single.ious = torch::tensor({{0.5f}});
  const auto focal = [](const Step& step, double alpha, double single_alpha) {
    const LossConfig config{.focal_alpha = alpha, .single_focal_alpha = single_alpha};
    return compute_losses(config, {step}, 1, true).focal.item<double>();
  };
  EXPECT_NEAR(focal(single, 0.25, -1), 2 * focal(single, 0.25, 0.5), 1e-5);
  EXPECT_NEAR(focal(single, 0.25, 0.5), focal(single, 0.75, 0.5), 1e-5);
  EXPECT_NEAR(focal(three, -1, 0.25), 2 * focal(three, 0.5, 0.25), 1e-5);
  EXPECT_NEAR(focal(three, 0.5, 0.25), focal(three, 0.5, 0.75), 1e-5);
}

TEST(Losses, CompareEachStepWithItsOwnTruth) {
  const auto step = two_proposals();
  auto other = two_proposals();
  other.truth = 1 - other.truth;
  const auto total = [](const std::vector<Step>& steps) {
    return compute_losses({}, steps, 1, true).total.item<double>();
  };
  EXPECT_NEAR(total({step, step, other, step}), 3 * total({step}) + total({other}), 1e-5);
  EXPECT_GT(std::abs(total({step}) - total({other})), 0.1);
}

TEST(Losses, CompareTheEnlargedMaskAtFullSizeOnly) {
  auto step = two_proposals();
  step.masks = step.masks.detach().slice(1, 1).clone().requires_grad_(true);
  step.ious = torch::tensor({{0.5f}});
  step.enlarged = step.masks.detach().clone().requires_grad_(true);
  compute_losses({}, {step}, 1, true).total.backward();
  EXPECT_FALSE(step.masks.grad().defined());
  EXPECT_GT(test::largest(step.enlarged.grad()), 0);
  step.enlarged.mutable_grad() = torch::Tensor();
  compute_losses({.reduction = 2}, {step}, 1, true).total.backward();
  EXPECT_FALSE(step.enlarged.grad().defined());
  EXPECT_GT(test::largest(step.masks.grad()), 0);
}

}  // namespace
}  // namespace vostrack::train
