#include <gtest/gtest.h>

#include <random>

#include "annotations/contours.hpp"
#include "eval/mask_drawing.hpp"
#include "support/errors.hpp"

namespace vostrack::annotations {
namespace {

Mask mask_of(const std::vector<std::string>& rows) {
  Mask mask{static_cast<int>(rows.size()), static_cast<int>(rows[0].size()), {}};
  for (const std::string& row : rows)
    for (char c : row) mask.data.push_back(c == '#' ? 1 : 0);
  return mask;
}

/// Even-odd filling at pixel centres.
Mask fill(const std::vector<Contour>& contours, int height, int width) {
  Mask mask{height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(height) * width, 0)};
  for (const Contour& contour : contours)
    for (std::size_t i = 0; i < contour.points.size(); ++i) {
      const Point a = contour.points[i], b = contour.points[(i + 1) % contour.points.size()];
      if (a.x != b.x) continue;
      for (int y = static_cast<int>(std::min(a.y, b.y)); y < static_cast<int>(std::max(a.y, b.y));
           ++y)
        for (int x = static_cast<int>(a.x); x < width; ++x)
          mask.data[static_cast<std::size_t>(y) * width + x] ^= 1;
    }
  return mask;
}

TEST(Contours, ListCornersClockwise) {
  const auto contours = trace_contours(mask_of({"....", ".##.", ".##."}));
  ASSERT_EQ(contours.size(), 1U);
  EXPECT_FALSE(contours[0].hole);
  std::vector<std::pair<float, float>> points;
  for (const Point& point : contours[0].points) points.emplace_back(point.x, point.y);
  EXPECT_EQ(points, (std::vector<std::pair<float, float>>{{3, 1}, {3, 3}, {1, 3}, {1, 1}}));
}

TEST(Contours, TellHolesFromParts) {
  const auto contours = trace_contours(mask_of({"#####", "#...#", "#.#.#", "#...#", "#####"}));
  ASSERT_EQ(contours.size(), 3U);
  EXPECT_FALSE(contours[0].hole);
  EXPECT_TRUE(contours[1].hole || contours[2].hole);
  EXPECT_FALSE(contours[1].hole && contours[2].hole);
}

TEST(Contours, KeepPartsThatTouchAtACornerApart) {
  const auto contours = trace_contours(mask_of({"#.", ".#"}));
  ASSERT_EQ(contours.size(), 2U);
  for (const Contour& contour : contours) EXPECT_EQ(contour.points.size(), 4U);
}

TEST(Contours, FillToTheMaskAgain) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    const int height = 1 + static_cast<int>(random() % 13),
              width = 1 + static_cast<int>(random() % 13);
    Mask mask{height, width, {}};
    for (int i = 0; i < height * width; ++i)
      mask.data.push_back(random() % 10 < static_cast<unsigned>(round % 11) ? 1 : 0);
    EXPECT_EQ(fill(trace_contours(mask), height, width).data, mask.data) << "round " << round;
  }
}

TEST(Contours, OfNothingAreNone) {
  EXPECT_TRUE(trace_contours(mask_of({"...", "..."})).empty());
  EXPECT_TRUE(trace_contours({}).empty());
  test::expect_error(ErrorCode::kInvalidArgument, "want height", [] {
    trace_contours({2, 2, {1, 1, 1}});
  });
}

TEST(BoundingBox, HasExclusiveEnds) {
  const auto box = bounding_box(test::rectangle(20, 30, 3, 4, 9, 17));
  ASSERT_TRUE(box);
  EXPECT_EQ(box->x0, 4);
  EXPECT_EQ(box->y0, 3);
  EXPECT_EQ(box->x1, 17);
  EXPECT_EQ(box->y1, 9);
}

TEST(BoundingBox, IsNoneAroundAnEmptyMask) {
  EXPECT_FALSE(bounding_box(test::empty_mask(3, 3)));
}

}  // namespace
}  // namespace vostrack::annotations
