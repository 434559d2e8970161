#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "support/errors.hpp"
#include "video/contact_sheet.hpp"
#include "video/drawing.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::plain;

Rgb pixel(const Image& image, int y, int x) {
  const std::uint8_t* at = image.rgb.data() + 3 * (y * image.width + x);
  return {at[0], at[1], at[2]};
}

Mask rectangle(int height, int width, int y0, int x0, int y1, int x1) {
  Mask mask{height, width, std::vector<std::uint8_t>(height * width)};
  for (int y = y0; y < y1; ++y)
    for (int x = x0; x < x1; ++x) mask.data[y * width + x] = 1;
  return mask;
}

int changed_pixels(const Image& a, const Image& b) {
  int count = 0;
  for (int y = 0; y < a.height; ++y)
    for (int x = 0; x < a.width; ++x) count += !(pixel(a, y, x) == pixel(b, y, x));
  return count;
}

TEST(Palette, KeepsAHundredObjectsApart) {
  double nearest_of_12 = 1, nearest_of_100 = 1;
  for (int a = 1; a <= 100; ++a)
    for (int b = 1; b < a; ++b) {
      const double distance = colour_distance(object_colour(a), object_colour(b));
      nearest_of_100 = std::min(nearest_of_100, distance);
      if (a <= 12) nearest_of_12 = std::min(nearest_of_12, distance);
    }
  // A difference of about 0.02 is just seen side by side.
  EXPECT_GT(nearest_of_12, 0.15);
  EXPECT_GT(nearest_of_100, 0.06);
}

/// CIE L*a*b* of the sRGB white point, written down here again as the judge of the palette, whose
/// own distance is another one.
std::array<double, 3> cie_lab(Rgb colour) {
  const auto linear = [](int value) {
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const auto f = [](double t) {
    return t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116;
  };
  const double r = linear(colour.r), g = linear(colour.g), b = linear(colour.b);
  const double x = f((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
  const double y = f(0.2126729 * r + 0.7151522 * g + 0.0721750 * b);
  const double z = f((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

TEST(Palette, KeepsAHundredObjectsApartInCieLab) {
  double nearest_of_12 = 1e9, nearest_of_100 = 1e9;
  for (int a = 1; a <= 100; ++a)
    for (int b = 1; b < a; ++b) {
      const auto p = cie_lab(object_colour(a)), q = cie_lab(object_colour(b));
      const double distance = std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
      nearest_of_100 = std::min(nearest_of_100, distance);
      if (a <= 12) nearest_of_12 = std::min(nearest_of_12, distance);
    }
  // A difference of 2.3 is just noticeable (Mahy and others, 1994).
  EXPECT_GT(nearest_of_12, 30);
  EXPECT_GT(nearest_of_100, 8);
}

TEST(Palette, TakesAnyNumber) {
  EXPECT_EQ(object_colour(1), object_colour(101));
  EXPECT_EQ(object_colour(0), object_colour(100));
  EXPECT_EQ(object_colour(-1), object_colour(99));
  object_colour(std::numeric_limits<std::int64_t>::min());
  object_colour(std::numeric_limits<std::int64_t>::max());
  EXPECT_NEAR(colour_distance({0, 0, 0}, {255, 255, 255}), 1.0, 1e-3);
}

TEST(DrawMask, TintsInsideAndOutlinesTheEdge) {
  Image image = plain(100, 100, 100, 100, 100);
  draw_mask(image, rectangle(100, 100, 20, 30, 60, 70), {200, 0, 50}, 0.5f);
  EXPECT_EQ(pixel(image, 40, 50), (Rgb{150, 50, 75}));  // inside
  EXPECT_EQ(pixel(image, 20, 30), (Rgb{200, 0, 50}));   // the outline's corner
  EXPECT_EQ(pixel(image, 59, 69), (Rgb{200, 0, 50}));
  EXPECT_EQ(pixel(image, 21, 31), (Rgb{150, 50, 75}));    // one pixel wide
  EXPECT_EQ(pixel(image, 19, 30), (Rgb{100, 100, 100}));  // nothing outside
  EXPECT_EQ(pixel(image, 60, 69), (Rgb{100, 100, 100}));
  EXPECT_EQ(changed_pixels(image, plain(100, 100, 100, 100, 100)), 40 * 40);
}

TEST(DrawMask, DrawsNoLineAlongThePicturesEdge) {
  Image image = plain(50, 50, 100, 100, 100);
  draw_mask(image, rectangle(50, 50, 0, 0, 50, 25), {200, 0, 50}, 0.5f);
  EXPECT_EQ(pixel(image, 0, 0), (Rgb{150, 50, 75}));
  EXPECT_EQ(pixel(image, 0, 24), (Rgb{200, 0, 50}));
  EXPECT_EQ(pixel(image, 49, 10), (Rgb{150, 50, 75}));
}

TEST(DrawMask, OutlineGrowsWithThePicture) {
  Image image = plain(400, 400, 100, 100, 100);
  draw_mask(image, rectangle(400, 400, 100, 100, 200, 200), {200, 0, 50}, 0);
  EXPECT_EQ(pixel(image, 150, 101), (Rgb{200, 0, 50}));
  EXPECT_EQ(pixel(image, 150, 102), (Rgb{100, 100, 100}));
}

TEST(DrawMask, RefusesWhatDoesNotFit) {
  Image image = plain(10, 10, 0, 0, 0);
  expect_error(ErrorCode::kInvalidArgument, "mask of 5x10",
               [&] { draw_mask(image, rectangle(10, 5, 0, 0, 1, 1), {}); });
  expect_error(ErrorCode::kInvalidArgument, "opacity: 2",
               [&] { draw_mask(image, rectangle(10, 10, 0, 0, 1, 1), {}, 2); });
  Image empty;
  expect_error(ErrorCode::kInvalidArgument, "image of 0 bytes", [&] {
    draw_box(empty, {0, 0, 1, 1}, {});
  });
}

TEST(DrawBox, KeepsInsideItsExclusiveEnds) {
  Image image = plain(100, 100, 0, 0, 0);
  draw_box(image, {10, 20, 50, 60}, {9, 8, 7});
  EXPECT_EQ(pixel(image, 20, 10), (Rgb{9, 8, 7}));
  EXPECT_EQ(pixel(image, 59, 49), (Rgb{9, 8, 7}));
  EXPECT_EQ(pixel(image, 60, 50), (Rgb{0, 0, 0}));
  EXPECT_EQ(pixel(image, 40, 30), (Rgb{0, 0, 0}));
}

TEST(DrawClicks, GreenIsOnTheObjectAndRedBeside) {
  Image image = plain(480, 640, 0, 0, 0);
  const std::vector<Click> clicks = {{100, 50, true}, {300, 200, false}};
  draw_clicks(image, clicks);
  const Rgb positive = pixel(image, 46, 96), negative = pixel(image, 196, 300);
  EXPECT_GT(positive.g, positive.r);
  EXPECT_GT(negative.r, negative.g);
  EXPECT_EQ(pixel(image, 50, 100), (Rgb{255, 255, 255}));  // the sign in the middle
  EXPECT_EQ(pixel(image, 47, 100), (Rgb{255, 255, 255}));  // a plus has an upright arm
}

TEST(DrawLabel, StaysInsideThePictureAndIsReadable) {
  for (const auto& [x, y] :
       {std::pair{-50.f, -50.f}, {190.f, 5.f}, {100.f, 100.f}, {500.f, 500.f}}) {
    Image image = plain(120, 200, 50, 50, 50);
    draw_label(image, x, y, "1 0.93", {250, 240, 10});
    std::set<int> levels;
    for (int i = 0; i < 120 * 200; ++i) levels.insert(image.rgb[3 * i]);
    EXPECT_TRUE(levels.contains(250)) << x;  // the plate
    EXPECT_LT(*levels.begin(), 30) << x;     // dark letters on the bright plate
  }
  Image small = plain(5, 5, 0, 0, 0);
  draw_label(small, 2, 2, "a very long caption", {255, 255, 255});
}

TEST(Drawing, BearsNumbersFarOutside) {
  Image image = plain(60, 60, 1, 1, 1);
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  draw_box(image, {-inf, -1e30f, inf, 1e30f}, {9, 9, 9});
  draw_label(image, nan, inf, "x", {9, 9, 9});
  const std::vector<Click> clicks = {{nan, 3}, {1e20f, -1e20f, false}};
  draw_clicks(image, clicks);
}

TEST(Resize, KeepsAveragesAndSizes) {
  Image image = plain(2, 4, 10, 20, 30);
  for (int x = 0; x < 4; ++x) image.rgb[3 * x] = 50;  // the upper row
  const Image half = resize(image, 1, 2);
  EXPECT_EQ(half.rgb, (std::vector<std::uint8_t>{30, 20, 30, 30, 20, 30}));
  const Image large = resize(plain(3, 3, 7, 8, 9), 10, 20);
  EXPECT_EQ(large.height, 10);
  EXPECT_EQ(large.width, 20);
  EXPECT_EQ(pixel(large, 5, 5), (Rgb{7, 8, 9}));
  expect_error(ErrorCode::kInvalidArgument, "20x0", [&] { resize(image, 0, 20); });
}

TEST(ContactSheet, LaysPicturesOutInRows) {
  std::vector<CaptionedImage> pictures;
  for (int i = 0; i < 5; ++i)
    pictures.push_back({plain(50, 100, static_cast<std::uint8_t>(50 * i + 40), 0, 0), "frame"});
  pictures[4].image = plain(200, 100, 240, 0, 0);
  const Image sheet = contact_sheet(pictures, 3, 100);
  EXPECT_EQ(sheet.width, 3 * 106 + 6);
  // Each picture's own middle: cells are 200 high, as the highest needs.
  EXPECT_EQ(pixel(sheet, 106, 56).r, 40);
  EXPECT_EQ(pixel(sheet, 106, 162).r, 90);
  EXPECT_EQ(pixel(sheet, 106, 268).r, 140);
  const int second_row = (sheet.height - 6) / 2 + 106;
  EXPECT_EQ(pixel(sheet, second_row, 56).r, 190);
  EXPECT_EQ(pixel(sheet, second_row, 162).r, 240);
  EXPECT_EQ(pixel(sheet, second_row, 268), pixel(sheet, 0, 0));  // no sixth
}

TEST(ContactSheet, ShowsCaptionsAndShortensLongOnes) {
  const std::vector<CaptionedImage> pictures = {{plain(50, 100, 0, 0, 0), std::string(200, 'W')}};
  const Image sheet = contact_sheet(pictures, 4, 100);
  EXPECT_EQ(sheet.width, 112);  // no wider than there are pictures
  int bright = 0, beyond = 0;
  for (int y = 56; y < sheet.height; ++y)
    for (int x = 0; x < sheet.width; ++x) {
      if (pixel(sheet, y, x).r > 120) (x < 106 ? bright : beyond)++;
    }
  EXPECT_GT(bright, 20);
  EXPECT_EQ(beyond, 0);
}

TEST(ContactSheet, RefusesWhatMakesNoSense) {
  const std::vector<CaptionedImage> one = {{plain(5, 5, 0, 0, 0), ""}};
  expect_error(ErrorCode::kInvalidArgument, "no pictures", [] { contact_sheet({}, 1, 100); });
  expect_error(ErrorCode::kInvalidArgument, "0 columns", [&] { contact_sheet(one, 0, 100); });
  expect_error(ErrorCode::kInvalidArgument, "at least 16", [&] { contact_sheet(one, 1, 3); });
  expect_error(ErrorCode::kInvalidArgument, "2^28", [&] { contact_sheet(one, 1, 60000); });
}

}  // namespace
}  // namespace vostrack::video
