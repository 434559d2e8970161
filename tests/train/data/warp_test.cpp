#include "train/data/warp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "train/data/motion.hpp"
#include "train/data/pack.hpp"

namespace vostrack::train {
namespace {

/// A white square with label 1 on black with label 0.
struct Square {
  Square(int height_, int width_, PixelBox box_) : height(height_), width(width_), box(box_) {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const bool on = x >= box.x0 && x < box.x1 && y >= box.y0 && y < box.y1;
        labels.push_back(on);
        rgb.insert(rgb.end(), 3, on ? 255 : 0);
      }
  }
  LabelledPicture picture() const { return {height, width, rgb.data(), labels.data(), {}}; }

  int height, width;
  PixelBox box;
  std::vector<std::uint8_t> rgb, labels;
};

CodeTable same_codes() {
  CodeTable codes;
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::uint8_t>(i);
  return codes;
}

/// Pixels where the picture and the mask say different things, beyond what an edge's blend leaves
/// open.
int disagreements(const Canvas& canvas) {
  int wrong = 0;
  for (std::size_t i = 0; i < canvas.codes.size(); ++i) {
    if (canvas.codes[i] == kIgnoredLabel) continue;
    const int seen = canvas.rgb[3 * i];
    wrong += canvas.codes[i] == 1 ? seen < 60 : seen > 195;
  }
  return wrong;
}

TEST(DrawGround, ShowsTheWholePictureSqueezed) {
  const Square square(40, 80, {20, 10, 60, 30});
  Canvas canvas(40);
  draw_ground(canvas, square.picture(), whole_picture(40, 80), same_codes());
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 40; ++x)
      EXPECT_EQ(canvas.codes[static_cast<std::size_t>(40 * y + x)],
                y >= 10 && y < 30 && x >= 10 && x < 30)
          << x << "," << y;
  EXPECT_EQ(disagreements(canvas), 0);
}

TEST(DrawGround, MovesPictureAndMaskTogether) {
  const Square square(60, 80, {25, 20, 55, 45});
  Random random(11);
  MotionConfig motion;
  motion.bent_share = 1;
  int with_object = 0;
  for (int i = 0; i < 20; ++i) {
    Canvas canvas(64);
    for (const Warp& warp : view_path(random, motion, {}, 4, 60, 80, square.box)) {
      draw_ground(canvas, square.picture(), warp, same_codes());
      EXPECT_EQ(disagreements(canvas), 0);
      with_object += std::count(canvas.codes.begin(), canvas.codes.end(), 1) > 0;
    }
  }
  EXPECT_GT(with_object, 70);
}

TEST(DrawGround, MirrorsThePictureAndIgnoresTheMaskOutside) {
  const Square square(16, 16, {0, 0, 16, 16});
  Warp warp = whole_picture(16, 16);
  warp.picture_from_view[2] += 8;  // the right half of the view is outside
  Canvas canvas(16);
  draw_ground(canvas, square.picture(), warp, same_codes());
  for (std::size_t i = 0; i < canvas.codes.size(); ++i) {
    EXPECT_EQ(canvas.codes[i], i % 16 < 8 ? 1 : kIgnoredLabel);
    EXPECT_EQ(canvas.rgb[3 * i], 255);
  }
}

TEST(DrawGround, KeepsIgnoredLabels) {
  Square square(16, 16, {4, 4, 12, 12});
  square.labels[0] = kIgnoredLabel;
  Canvas canvas(16);
  draw_ground(canvas, square.picture(), whole_picture(16, 16), same_codes());
  EXPECT_EQ(canvas.codes[0], kIgnoredLabel);
  EXPECT_EQ(canvas.codes[1], 0);
}

TEST(DrawCutOut, CoversWhatIsBelowAndCanStayBehind) {
  const Square ground(32, 32, {0, 0, 16, 32}), object(32, 32, {8, 8, 24, 24});
  std::array<bool, 256> opaque{};
  opaque[1] = true;
  for (const auto order : {CutOutOrder::kInFront, CutOutOrder::kBehind}) {
    Canvas canvas(32);
    draw_ground(canvas, ground.picture(), whole_picture(32, 32), same_codes());
    draw_cut_out(canvas, object.picture(), whole_picture(32, 32), opaque, 250, order);
    const auto code = [&](int y, int x) {
      return canvas.codes[static_cast<std::size_t>(32 * y + x)];
    };
    EXPECT_EQ(code(16, 20), 250);
    EXPECT_EQ(code(16, 12), order == CutOutOrder::kInFront ? 250 : 1);
    EXPECT_EQ(code(16, 4), 1);
    EXPECT_EQ(code(4, 28), 0);
    EXPECT_EQ(canvas.rgb[3 * (32 * 16 + 20)], 255);
  }
}

TEST(CutOutPath, BeginsInTheViewAndMayLeaveAndReturn) {
  const Square object(40, 40, {10, 10, 30, 30});
  std::array<bool, 256> opaque{};
  opaque[1] = true;
  CutOutConfig config;
  config.leaves = 1;
  config.smallest = 0.3;
  MotionConfig motion;
  motion.still_share = 1;
  Random random(4);
  for (int i = 0; i < 20; ++i) {
    std::vector<int> areas;
    for (const Warp& warp : cut_out_path(random, motion, {}, config, 5, object.box)) {
      Canvas canvas(48);
      draw_cut_out(canvas, object.picture(), warp, opaque, 1, CutOutOrder::kInFront);
      areas.push_back(static_cast<int>(std::count(canvas.codes.begin(), canvas.codes.end(), 1)));
    }
    EXPECT_GT(areas.front(), 0);
    EXPECT_GT(areas.back(), 0);
    EXPECT_EQ(*std::min_element(areas.begin(), areas.end()), 0);
  }
}

TEST(Halved, AveragesFourPixels) {
  Square square(4, 4, {0, 0, 2, 2});
  square.rgb[0] = 55;
  const LabelledPicture half = halved(square.picture());
  ASSERT_EQ(half.height, 2);
  EXPECT_EQ(half.rgb[0], (55 + 3 * 255 + 2) / 4);
  EXPECT_EQ(half.labels[0], 1);
  EXPECT_EQ(half.labels[3], 0);
}

}  // namespace
}  // namespace vostrack::train
