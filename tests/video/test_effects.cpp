#include <gtest/gtest.h>

#include <array>

#include "support/errors.hpp"
#include "video/effects.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using Pixel = std::array<int, 3>;

Pixel pixel(const Image& image, int y, int x) {
  const std::uint8_t* at = image.rgb.data() + 3 * (y * image.width + x);
  return {at[0], at[1], at[2]};
}

/// A red square on a ground of black and white columns.
struct Scene {
  Image image{40, 60, std::vector<std::uint8_t>(3 * 40 * 60)};
  Mask mask{40, 60, std::vector<std::uint8_t>(40 * 60)};
  Scene() {
    for (int y = 0; y < 40; ++y)
      for (int x = 0; x < 60; ++x) {
        const bool on = y >= 10 && y < 30 && x >= 20 && x < 40;
        const std::uint8_t ground = x % 2 ? 255 : 0;
        std::uint8_t* at = image.rgb.data() + 3 * (y * 60 + x);
        at[0] = on ? 200 : ground;
        at[1] = at[2] = on ? 0 : ground;
        mask.data[y * 60 + x] = on;
      }
  }
};

TEST(Blur, EvensOutTheBackgroundWithoutAHaloAndKeepsTheObject) {
  Scene scene;
  const Image before = scene.image;
  blur(scene.image, scene.mask, Region::kBackground, 5);
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 60; ++x) {
      const Pixel now = pixel(scene.image, y, x);
      if (scene.mask.data[y * 60 + x]) {
        ASSERT_EQ(now, pixel(before, y, x));
      } else {
        ASSERT_NEAR(now[0], 127, 12) << y << ' ' << x;
        ASSERT_EQ(now[0], now[1]) << "red has leaked to " << y << ' ' << x;
      }
    }
}

TEST(Blur, HidesTheObjectAndKeepsTheBackground) {
  Scene scene;
  scene.image.rgb[3 * (20 * 60 + 30)] = 0;  // a detail of the object
  const Image before = scene.image;
  blur(scene.image, scene.mask, Region::kObject, 4);
  EXPECT_NEAR(pixel(scene.image, 20, 30)[0], 198, 3);
  EXPECT_EQ(pixel(scene.image, 20, 30)[1], 0);
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 60; ++x)
      if (!scene.mask.data[y * 60 + x]) {
        ASSERT_EQ(pixel(scene.image, y, x), pixel(before, y, x));
      }
}

TEST(Pixelate, GivesEachSquareItsAverageOfThatSideOnly) {
  Scene scene;
  const Image before = scene.image;
  pixelate(scene.image, scene.mask, Region::kBackground, 8);
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 60; ++x) {
      const Pixel now = pixel(scene.image, y, x);
      if (scene.mask.data[y * 60 + x]) {
        ASSERT_EQ(now, pixel(before, y, x));
      } else {
        ASSERT_NEAR(now[0], 127.5, 1) << y << ' ' << x;
        ASSERT_EQ(now[0], now[2]);
      }
    }
  Scene whole;
  pixelate(whole.image, whole.mask, Region::kObject, 1 << 30);
  EXPECT_EQ(pixel(whole.image, 15, 25), (Pixel{200, 0, 0}));
  EXPECT_EQ(pixel(whole.image, 0, 1), (Pixel{255, 255, 255}));
}

TEST(SideBySide, FitsTheRightPictureToTheLeftOnesHeight) {
  const Image both = side_by_side(test::plain(20, 30, 1, 2, 3), test::plain(40, 20, 7, 8, 9));
  ASSERT_EQ(both.height, 20);
  ASSERT_EQ(both.width, 40);
  EXPECT_EQ(pixel(both, 19, 29), (Pixel{1, 2, 3}));
  EXPECT_EQ(pixel(both, 19, 30), (Pixel{7, 8, 9}));
  EXPECT_EQ(pixel(both, 0, 39), (Pixel{7, 8, 9}));
}

TEST(Effects, RefuseWhatMakesNoSense) {
  Scene scene;
  Mask small{2, 2, std::vector<std::uint8_t>(4)};
  expect_error(ErrorCode::kInvalidArgument, "mask of 2x2",
               [&] { blur(scene.image, small, Region::kObject, 1); });
  expect_error(ErrorCode::kInvalidArgument, "sigma: 0",
               [&] { blur(scene.image, scene.mask, Region::kObject, 0); });
  expect_error(ErrorCode::kInvalidArgument, "block: 0",
               [&] { pixelate(scene.image, scene.mask, Region::kObject, 0); });
  expect_error(ErrorCode::kInvalidArgument, "not empty",
               [&] { side_by_side(scene.image, Image{}); });
}

}  // namespace
}  // namespace vostrack::video
