#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "eval/clicks.hpp"
#include "eval/mask_drawing.hpp"

namespace vostrack::eval {
namespace {

std::vector<std::pair<int, int>> places(const std::vector<Click>& clicks) {
  std::vector<std::pair<int, int>> result;
  for (const Click& click : clicks) {
    EXPECT_TRUE(click.positive);
    result.emplace_back(static_cast<int>(click.x), static_cast<int>(click.y));
  }
  return result;
}

using Places = std::vector<std::pair<int, int>>;

TEST(InnerClicks, StartAtTheInnermostPixel) {
  EXPECT_EQ(places(inner_clicks(test::rectangle(20, 30, 4, 10, 9, 15), 1)), (Places{{12, 6}}));
}

TEST(InnerClicks, CountThePicturesBorderAsOutside) {
  EXPECT_EQ(places(inner_clicks(test::rectangle(7, 7, 0, 0, 7, 7), 1)), (Places{{3, 3}}));
}

TEST(InnerClicks, LieInTheLargestPartFirst) {
  Mask mask = test::rectangle(20, 40, 2, 2, 5, 5);
  const Mask large = test::rectangle(20, 40, 8, 20, 15, 27);
  for (std::size_t i = 0; i < mask.data.size(); ++i) mask.data[i] |= large.data[i];
  EXPECT_EQ(places(inner_clicks(mask, 1)), (Places{{23, 11}}));
}

TEST(InnerClicks, KeepAwayFromOutlineAndEarlierClicks) {
  // A bar of 5 by 21: the middle row, then as far as three pixels to both sides.
  const Places found = places(inner_clicks(test::rectangle(9, 25, 2, 2, 7, 23), 3));
  EXPECT_EQ(found, (Places{{4, 4}, {7, 4}, {10, 4}}));
}

TEST(InnerClicks, EqualThoseOfAnIndependentProgram) {
  EXPECT_EQ(places(inner_clicks(test::ellipse(60, 80, {30, 43, 18, 25}), 3)),
            (Places{{43, 30}, {31, 28}, {55, 28}}));
  EXPECT_EQ(places(inner_clicks(test::ellipse(97, 131, {96, 130, 25, 38}), 3)),
            (Places{{116, 85}, {107, 87}, {123, 79}}));
  EXPECT_EQ(places(inner_clicks(test::ellipse(240, 320, {110, 160, 55, 75}), 3)),
            (Places{{160, 110}, {123, 107}, {197, 107}}));
}

TEST(InnerClicks, AreFewerThanAskedForInATinyMask) {
  EXPECT_EQ(places(inner_clicks(test::rectangle(5, 5, 2, 2, 3, 4), 3)), (Places{{2, 2}, {3, 2}}));
  EXPECT_TRUE(inner_clicks(test::empty_mask(5, 5), 3).empty());
}

}  // namespace
}  // namespace vostrack::eval
