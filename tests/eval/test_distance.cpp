#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "eval/distance.hpp"
#include "eval/mask_drawing.hpp"

namespace vostrack::eval {
namespace {

TEST(SquaredDistances, AreExactAroundOnePixel) {
  const auto squares = squared_distances(test::rectangle(5, 7, 3, 1, 4, 2));
  for (int y = 0; y < 5; ++y)
    for (int x = 0; x < 7; ++x)
      EXPECT_EQ(squares[static_cast<std::size_t>(y * 7 + x)], (y - 3) * (y - 3) + (x - 1) * (x - 1))
          << y << " " << x;
}

TEST(SquaredDistances, SayThatThereIsNoSite) {
  for (std::int64_t square : squared_distances(test::empty_mask(3, 4))) EXPECT_EQ(square, kNoSite);
}

TEST(SquaredDistances, AreThoseToTheNearestOfManySites) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    const Mask sites = test::specks(23, 31, seed, 1 + seed / 2);
    if (std::count(sites.data.begin(), sites.data.end(), 1) == 0) continue;
    const auto squares = squared_distances(sites);
    for (int y = 0; y < 23; ++y)
      for (int x = 0; x < 31; ++x) {
        std::int64_t nearest = kNoSite;
        for (int v = 0; v < 23; ++v)
          for (int u = 0; u < 31; ++u)
            if (sites.data[static_cast<std::size_t>(v * 31 + u)])
              nearest = std::min<std::int64_t>(nearest, (y - v) * (y - v) + (x - u) * (x - u));
        ASSERT_EQ(squares[static_cast<std::size_t>(y * 31 + x)], nearest)
            << seed << ": " << y << " " << x;
      }
  }
}

}  // namespace
}  // namespace vostrack::eval
