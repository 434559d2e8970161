#include <gtest/gtest.h>

#include "eval/interaction.hpp"
#include "eval/mask_drawing.hpp"
#include "support/errors.hpp"

namespace vostrack::eval {
namespace {

using test::empty_mask;
using test::rectangle;

TEST(LargestPart, KeepsWhatHangsTogetherOverCorners) {
  const Mask mask = test::drawn({"##...#", "......", "..#...", "...#..", "....#."});
  EXPECT_EQ(largest_part(mask).data,
            test::drawn({"......", "......", "..#...", "...#..", "....#."}).data);
  EXPECT_EQ(largest_part(empty_mask(2, 3)).data, empty_mask(2, 3).data);
}

TEST(CorrectingClick, IsOnTheObjectWhereItWasMissed) {
  const Mask truth = rectangle(20, 20, 2, 2, 13, 13);
  const auto click = correcting_click(empty_mask(20, 20), truth, {});
  ASSERT_TRUE(click);
  EXPECT_EQ(click->x, 7);
  EXPECT_EQ(click->y, 7);
  EXPECT_TRUE(click->positive);
}

TEST(CorrectingClick, IsBesideTheObjectWhereTooMuchWasTaken) {
  const Mask truth = rectangle(20, 20, 0, 0, 20, 9);
  const auto click = correcting_click(rectangle(20, 20, 0, 2, 20, 20), truth, {});
  ASSERT_TRUE(click);
  EXPECT_GE(click->x, 13);
  EXPECT_FALSE(click->positive);
}

TEST(CorrectingClick, GoesToTheLargestErrorNotToTheSumOfSmallOnes) {
  // Three missed squares of 4 pixels each against one surplus of 9.
  Mask truth = empty_mask(12, 20), predicted = empty_mask(12, 20);
  for (const int x : {0, 4, 8})
    for (const int y : {0, 1})
      truth.data[static_cast<std::size_t>(20 * y + x)] =
          truth.data[static_cast<std::size_t>(20 * y + x + 1)] = 1;
  predicted = rectangle(12, 20, 8, 15, 11, 18);
  const auto click = correcting_click(predicted, truth, {});
  ASSERT_TRUE(click);
  EXPECT_FALSE(click->positive);
  EXPECT_EQ(click->x, 16);
  EXPECT_EQ(click->y, 9);
}

TEST(CorrectingClick, PassesOverWhatIsNotKnown) {
  const Mask truth = rectangle(10, 10, 0, 0, 5, 5);
  EXPECT_FALSE(correcting_click(truth, truth, {}));
  EXPECT_FALSE(
      correcting_click(rectangle(10, 10, 0, 0, 5, 7), truth, rectangle(10, 10, 0, 5, 10, 10)));
}

TEST(KnownSimilarity, CountsKnownPixelsOnly) {
  const Mask truth = rectangle(4, 8, 0, 0, 4, 4), predicted = rectangle(4, 8, 0, 0, 4, 8);
  EXPECT_DOUBLE_EQ(known_similarity(predicted, truth, {}), 0.5);
  EXPECT_DOUBLE_EQ(known_similarity(predicted, truth, rectangle(4, 8, 0, 4, 4, 8)), 1);
  test::expect_error(ErrorCode::kInvalidArgument, "cannot be compared",
                     [&] { known_similarity(empty_mask(3, 8), truth, {}); });
}

TEST(Leakage, IsTheShareOnOtherObjects) {
  const Mask predicted = rectangle(4, 8, 0, 0, 4, 8), others = rectangle(4, 8, 0, 6, 4, 8);
  EXPECT_DOUBLE_EQ(leakage(predicted, others, {}), 0.25);
  EXPECT_DOUBLE_EQ(leakage(predicted, others, rectangle(4, 8, 0, 0, 4, 4)), 0.5);
  EXPECT_DOUBLE_EQ(leakage(empty_mask(4, 8), others, {}), 0);
}

}  // namespace
}  // namespace vostrack::eval
