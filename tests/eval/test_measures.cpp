#include <gtest/gtest.h>

#include "eval/mask_drawing.hpp"
#include "eval/measures.hpp"
#include "support/errors.hpp"

namespace vostrack::eval {
namespace {

using test::drawn;
using test::Ellipse;
using test::empty_mask;
using test::expect_error;
using test::rectangle;

TEST(RegionSimilarity, IsIntersectionOverUnion) {
  // 16 pixels each, moved by one column of four: 12 shared, 20 covered.
  EXPECT_DOUBLE_EQ(region_similarity(rectangle(8, 8, 2, 2, 6, 6), rectangle(8, 8, 2, 3, 6, 7)),
                   12.0 / 20.0);
}

TEST(RegionSimilarity, IsOneForTwoEmptyMasks) {
  EXPECT_EQ(region_similarity(empty_mask(4, 5), empty_mask(4, 5)), 1);
}

TEST(RegionSimilarity, IsZeroWhenOnlyOneMaskIsEmpty) {
  EXPECT_EQ(region_similarity(empty_mask(8, 8), rectangle(8, 8, 1, 1, 2, 2)), 0);
  EXPECT_EQ(region_similarity(rectangle(8, 8, 1, 1, 2, 2), empty_mask(8, 8)), 0);
}

TEST(RegionSimilarity, RefusesMasksOfTwoSizes) {
  expect_error(ErrorCode::kInvalidArgument, "5x4, want the annotation's 4x5",
               [] { region_similarity(empty_mask(4, 5), empty_mask(5, 4)); });
}

TEST(BoundaryMap, LiesUpAndLeftOfTheEdge) {
  const Mask map = boundary_map(drawn({"......",  //
                                       "......",  //
                                       "..##..",  //
                                       "..##..",  //
                                       "......"}));
  EXPECT_EQ(map.data, drawn({"......",  //
                             ".###..",  //
                             ".#.#..",  //
                             ".###..",  //
                             "......"})
                          .data);
}

TEST(BoundaryMap, TakesOneNeighbourInTheLastRowAndColumn) {
  const Mask map = boundary_map(drawn({"....",  //
                                       "...#",  //
                                       "..##"}));
  EXPECT_EQ(map.data, drawn({"..##",  //
                             ".##.",  //
                             ".#.."})
                          .data);
}

TEST(BoundaryMap, IsEmptyForAPictureThatIsAllObject) {
  EXPECT_EQ(boundary_map(rectangle(4, 5, 0, 0, 4, 5)).data, empty_mask(4, 5).data);
}

TEST(BoundaryRadius, IsEightThousandthsOfTheDiagonalRoundedUp) {
  EXPECT_EQ(boundary_radius(480, 854), 8);
  EXPECT_EQ(boundary_radius(1080, 1920), 18);
  EXPECT_EQ(boundary_radius(3, 4), 1);
  EXPECT_EQ(boundary_radius(300, 400, 0.1), 50);
}

TEST(BoundarySimilarity, IsOneForContoursThatBothLack) {
  EXPECT_EQ(boundary_similarity(empty_mask(8, 8), empty_mask(8, 8), 1), 1);
  EXPECT_EQ(boundary_similarity(rectangle(8, 8, 0, 0, 8, 8), empty_mask(8, 8), 1), 1);
}

TEST(BoundarySimilarity, IsZeroWhenOnlyOneHasAContour) {
  EXPECT_EQ(boundary_similarity(rectangle(8, 8, 2, 2, 5, 5), empty_mask(8, 8), 1), 0);
  EXPECT_EQ(boundary_similarity(empty_mask(8, 8), rectangle(8, 8, 2, 2, 5, 5), 1), 0);
}

TEST(BoundarySimilarity, ForgivesWhatLiesWithinTheRadius) {
  const Mask truth = rectangle(40, 40, 10, 10, 20, 20);
  EXPECT_EQ(boundary_similarity(rectangle(40, 40, 10, 12, 20, 22), truth, 2), 1);
  EXPECT_LT(boundary_similarity(rectangle(40, 40, 10, 12, 20, 22), truth, 1), 1);
}

TEST(BoundarySimilarity, MeasuresWithADiscNotASquare) {
  // One pixel each has a contour of four; apart by (2, 2), nearest distances are 1.4 for one pair,
  // 1.4 or more for all others.
  const Mask one = rectangle(20, 20, 8, 8, 9, 9), other = rectangle(20, 20, 10, 10, 11, 11);
  // Contours: rows 7 to 8 and columns 7 to 8; rows 9 to 10 and columns 9 to 10. At radius 1 the
  // nearest corners, √2 apart, do not meet.
  EXPECT_EQ(boundary_similarity(one, other, 1), 0);
  // At radius 2 the corner (8, 8) reaches (9, 9) alone, √2 away; (8, 7) is √5 from it.
  EXPECT_DOUBLE_EQ(boundary_similarity(one, other, 2), 0.25);
}

TEST(BoundarySimilarity, IsTheHarmonicMeanOfPrecisionAndRecall) {
  // A second square that is not there halves the precision and leaves the recall.
  const Mask truth = rectangle(60, 60, 5, 5, 15, 15);
  Mask predicted = truth;
  const Mask extra = rectangle(60, 60, 40, 40, 50, 50);
  for (std::size_t i = 0; i < extra.data.size(); ++i) predicted.data[i] |= extra.data[i];
  EXPECT_DOUBLE_EQ(boundary_similarity(predicted, truth, 1), 2 * 0.5 / 1.5);
}

struct Known {
  int height, width;
  Ellipse predicted, truth;
  std::uint32_t seed, share;
  double j, f;
};

/// Numbers of an independent program, with the dilation by discs of SciPy and scikit-image.
TEST(Measures, EqualThoseOfAnIndependentProgram) {
  const Known cases[] = {
      {60, 80, {30, 40, 18, 25}, {30, 43, 18, 25}, 1, 0, 0.858652575958, 0.454545454545},
      {97, 131, {90, 120, 30, 40}, {96, 130, 25, 38}, 2, 0, 0.492385786802, 0},
      {240, 320, {100, 150, 70, 60}, {110, 160, 55, 75}, 3, 0, 0.696635052618, 0.260464726114},
      {240, 320, {100, 150, 70, 60}, {104, 153, 68, 66}, 4, 2, 0.841559132633, 0.225136520440},
      {480, 854, {240, 400, 100, 200}, {250, 420, 110, 190}, 5, 1, 0.810104992381, 0.172949503240},
      {33, 17, {16, 8, 12, 6}, {3, 3, 5, 5}, 6, 40, 0.053763440860, 0.155018217953},
  };
  for (const Known& known : cases) {
    Mask predicted = test::ellipse(known.height, known.width, known.predicted);
    const Mask noise = test::specks(known.height, known.width, known.seed, known.share);
    for (std::size_t i = 0; i < noise.data.size(); ++i) predicted.data[i] ^= noise.data[i];
    const Mask truth = test::ellipse(known.height, known.width, known.truth);
    EXPECT_NEAR(region_similarity(predicted, truth), known.j, 1e-11) << known.seed;
    EXPECT_NEAR(boundary_similarity(predicted, truth, boundary_radius(known.height, known.width)),
                known.f, 1e-11)
        << known.seed;
  }
}

}  // namespace
}  // namespace vostrack::eval
