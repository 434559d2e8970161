#include "train/data/colour.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "train/data/jpeg_flaws.hpp"

namespace vostrack::train {
namespace {

constexpr int kSize = 20;  // no multiple of 8
constexpr std::size_t kPixels = kSize * kSize;

std::vector<std::uint8_t> ramp() {
  std::vector<std::uint8_t> planes;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < kPixels; ++i)
      planes.push_back(static_cast<std::uint8_t>(60 + 3 * (i % kSize) + 2 * (i / kSize) + 20 * c));
  return planes;
}

double mean_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(int{a[i]} - int{b[i]});
  return sum / static_cast<double>(a.size());
}

double mean(const std::vector<std::uint8_t>& values) {
  double sum = 0;
  for (const auto value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

TEST(ChangeColours, TakesChannelsApart) {
  const std::vector<std::uint8_t> rgb = {1, 2, 3, 4, 5, 6};
  std::vector<std::uint8_t> planes(6);
  change_colours(rgb, {}, planes);
  EXPECT_EQ(planes, (std::vector<std::uint8_t>{1, 4, 2, 5, 3, 6}));
}

TEST(ChangeColours, AppliesGammaThenMatrix) {
  const std::vector<std::uint8_t> rgb = {64, 128, 255};
  std::vector<std::uint8_t> planes(3);
  ColourChange change;
  change.gamma = 2;
  change.matrix = {0, 1, 0, 0, 0.5, 0, 0, 0, 3};
  change.offset = {0, 0.1, 0};
  change_colours(rgb, change, planes);
  EXPECT_EQ(planes, (std::vector<std::uint8_t>{64, 58, 255}));
}

TEST(RandomColours, LeaveGreyGreyAndMakeGreyOnDemand) {
  AugmentConfig config;
  config.grey = 1;
  Random random(3);
  std::vector<std::uint8_t> planes(6);
  change_colours(std::vector<std::uint8_t>{200, 30, 90, 120, 120, 120},
                 random_colours(random, config), planes);
  for (const std::size_t pixel : {0u, 1u})
    EXPECT_LE(
        std::abs(planes[pixel] - planes[2 + pixel]) + std::abs(planes[pixel] - planes[4 + pixel]),
        2);
}

TEST(Blur, KeepsTheMeanAndSmoothsAnEdge) {
  std::vector<std::uint8_t> planes(3 * kPixels);
  for (std::size_t i = 0; i < planes.size(); ++i) planes[i] = i % kSize < 10 ? 0 : 200;
  blur(planes, kSize, 1.2);
  EXPECT_NEAR(mean(planes), 100, 1);
  EXPECT_EQ(planes[0], 0);
  EXPECT_GT(planes[9], 40);
  EXPECT_NEAR(planes[9] + planes[10], 200, 2);
  EXPECT_EQ(planes[19], 200);
}

TEST(AddNoise, HasTheDeviationAskedFor) {
  std::vector<std::uint8_t> planes(30000, 128);
  Random random(5);
  add_noise(planes, 8, random);
  double square = 0;
  for (const auto value : planes) square += (value - 128.0) * (value - 128.0);
  EXPECT_NEAR(std::sqrt(square / 30000), 8, 0.3);
  EXPECT_NEAR(mean(planes), 128, 0.3);
}

TEST(AddJpegFlaws, AreSmallAtHighQualityAndGrowBelow) {
  const auto before = ramp();
  std::vector<double> off;
  for (const int quality : {100, 50, 5}) {
    auto planes = before;
    add_jpeg_flaws(planes, kSize, quality);
    off.push_back(mean_difference(planes, before));
  }
  EXPECT_LT(off[0], 1.2);
  EXPECT_LT(off[0], off[1]);
  EXPECT_LT(off[1], off[2]);
  EXPECT_LT(off[2], 30);
}

TEST(AddJpegFlaws, KeepAFlatBlockThatTheStepDivides) {
  // Luma 128 has a transform of 0, which no step changes.
  std::vector<std::uint8_t> planes(3 * 64, 128);
  add_jpeg_flaws(planes, 8, 10);
  EXPECT_TRUE(std::all_of(planes.begin(), planes.end(), [](auto v) { return v == 128; }));
  // A level of 130 is a constant term of 16: at quality 10 the step is 80, so that it is lost.
  planes.assign(planes.size(), 130);
  add_jpeg_flaws(planes, 8, 10);
  EXPECT_TRUE(std::all_of(planes.begin(), planes.end(), [](auto v) { return v == 128; }));
  // At quality 50 the step is 16, so that it stays.
  planes.assign(planes.size(), 130);
  add_jpeg_flaws(planes, 8, 50);
  EXPECT_TRUE(std::all_of(planes.begin(), planes.end(), [](auto v) { return v == 130; }));
}

}  // namespace
}  // namespace vostrack::train
