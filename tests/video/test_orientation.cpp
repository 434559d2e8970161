#include <gtest/gtest.h>

#include <array>

#include "video/ffmpeg.hpp"
#include "video/orientation.hpp"

namespace vostrack::video {
namespace {

// One row of two rows by three columns; every pixel's red says where it was.
constexpr std::array<std::uint8_t, 18> kStored = {1, 0, 0, 2, 0, 0, 3, 0, 0,  //
                                                  4, 0, 0, 5, 0, 0, 6, 0, 0};

std::vector<int> reds(const Image& image) {
  std::vector<int> result;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) result.push_back(image.rgb[i]);
  return result;
}

Image turned(double clockwise_degrees, bool mirror_x = false, bool mirror_y = false) {
  std::array<std::int32_t, 9> matrix;
  av_display_rotation_set(matrix.data(), clockwise_degrees);
  av_display_matrix_flip(matrix.data(), mirror_x, mirror_y);
  return upright(kStored.data(), 9, 2, 3, orientation_of(matrix));
}

TEST(Orientation, LeavesAnUprightPictureAlone) {
  const Image image = turned(0);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(reds(image), (std::vector{1, 2, 3, 4, 5, 6}));
}

TEST(Orientation, TurnsByQuarters) {
  const Image right = turned(90);
  EXPECT_EQ(right.height, 3);
  EXPECT_EQ(right.width, 2);
  EXPECT_EQ(reds(right), (std::vector{4, 1, 5, 2, 6, 3}));
  EXPECT_EQ(reds(turned(180)), (std::vector{6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(reds(turned(270)), (std::vector{3, 6, 2, 5, 1, 4}));
}

TEST(Orientation, MirrorsAfterTurning) {
  EXPECT_EQ(reds(turned(0, true)), (std::vector{3, 2, 1, 6, 5, 4}));
  EXPECT_EQ(reds(turned(0, false, true)), (std::vector{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(reds(turned(90, true)), (std::vector{1, 4, 2, 5, 3, 6}));
}

TEST(Orientation, RoundsToTheNearestQuarter) {
  EXPECT_EQ(reds(turned(88)), reds(turned(90)));
  EXPECT_EQ(reds(turned(2)), reds(turned(0)));
}

}  // namespace
}  // namespace vostrack::video
