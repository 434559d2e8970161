// Small pictures: what counts as a change, and whether motion is found.
#include "tracker/sketch.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "support/tensors.hpp"

namespace vostrack::tracker::test {
namespace {

/// A smooth texture of 240×400 pixels, seen through p → scale · p + shift about its middle.
torch::Tensor picture(double scale, double shift_x, double shift_y) {
  const auto y = torch::arange(240.0).view({240, 1}), x = torch::arange(400.0).view({1, 400});
  const auto u = (x - 200) * scale + 200 + shift_x, v = (y - 120) * scale + 120 + shift_y;
  const auto grey =
      128 + 50 * torch::sin(u / 17) * torch::cos(v / 13) + 40 * torch::sin((u + v) / 29);
  return grey.unsqueeze(2).expand({240, 400, 3}).to(torch::kUInt8);
}

/// The logits of a square in the middle of 64×64.
torch::Tensor square_logits() {
  auto logits = torch::full({1, 1, 64, 64}, -8.0);
  logits.slice(2, 20, 44).slice(3, 20, 44).fill_(8);
  return logits;
}

TEST(Sketch, IsThePicturesBrightness) {
  auto pixels = torch::zeros({30, 50, 3}, torch::kUInt8);
  pixels.slice(1, 25, 50).fill_(200);
  const auto sketch = sketch_of(pixels);
  EXPECT_EQ(sketch.sizes(), (std::vector<std::int64_t>{kSketchSide, kSketchSide}));
  EXPECT_FLOAT_EQ(sketch[10][10].item<float>(), 0);
  EXPECT_FLOAT_EQ(sketch[10][kSketchSide - 10].item<float>(), 200);
}

TEST(Sketch, SeesAChangeInOneBlock) {
  auto before = torch::zeros({kSketchSide, kSketchSide}), now = before.clone();
  EXPECT_EQ(largest_change(before, now), 0);
  now.slice(0, 8, 12).slice(1, 100, 104).fill_(-6);
  EXPECT_NEAR(largest_change(before, now), 6, 1e-5);
}

TEST(Sketch, FindsHowThePictureMovedUnderTheMask) {
  // What was at p is now at (p − middle) / scale + middle − shift / scale.
  const double scale = 1.04, shift_x = 9, shift_y = -5;
  const auto motion = motion_between(sketch_of(picture(1, 0, 0)),
                                     sketch_of(picture(scale, shift_x, shift_y)), square_logits());
  EXPECT_NEAR(motion.scale, scale, 0.01);
  EXPECT_NEAR(motion.scale * 0.5 + motion.x, 0.5 + shift_x / 400, 0.003);
  EXPECT_NEAR(motion.scale * 0.5 + motion.y, 0.5 + shift_y / 240, 0.003);
}

TEST(Sketch, FindsNoMotionWhereThereIsNone) {
  const auto sketch = sketch_of(picture(1, 0, 0));
  EXPECT_EQ(motion_between(sketch, sketch, square_logits()), memory::Motion{});
  const auto flat = torch::full({kSketchSide, kSketchSide}, 90.0);
  EXPECT_EQ(motion_between(flat, flat + 10, square_logits()), memory::Motion{});
  EXPECT_EQ(motion_between(sketch, flat, torch::full({1, 1, 64, 64}, -8.0)), memory::Motion{});
}

TEST(Sketch, MovesMasksWithTheMotion) {
  const auto logits = square_logits();
  EXPECT_TRUE(vostrack::test::same(moved(logits, {}), logits));
  // What is here was a quarter of the picture further left: the square comes a quarter to the
  // right.
  const auto right = moved(logits, {1, -0.25, 0});
  EXPECT_TRUE(torch::equal(right > 0, torch::roll(logits > 0, 16, 3)));
  const auto twice = moved(logits, {0.5, 0.25, 0.25});
  EXPECT_EQ((twice > 0).sum().item<std::int64_t>(), 48 * 48);
}

}  // namespace
}  // namespace vostrack::tracker::test
