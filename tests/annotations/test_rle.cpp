#include <gtest/gtest.h>

#include <random>

#include "annotations/rle.hpp"
#include "support/errors.hpp"

namespace vostrack::annotations {
namespace {

using test::expect_error;

template <class Inside>
Mask mask_where(int height, int width, Inside inside) {
  Mask mask{height, width, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) mask.data.push_back(inside(y, x) ? 1 : 0);
  return mask;
}

void expect_box(const Rle& rle, float x0, float y0, float x1, float y1) {
  const auto box = bounding_box(rle);
  ASSERT_TRUE(box.has_value());
  EXPECT_EQ(box->x0, x0);
  EXPECT_EQ(box->y0, y0);
  EXPECT_EQ(box->x1, x1);
  EXPECT_EQ(box->y1, y1);
}

TEST(Rle, CountsColumnByColumn) {
  const Rle rle =
      encode_rle(mask_where(4, 5, [](int y, int x) { return y >= 1 && y < 3 && x >= 1 && x < 4; }));
  EXPECT_EQ(rle.counts, (std::vector<std::uint32_t>{5, 2, 2, 2, 2, 2, 5}));
  EXPECT_EQ(area(rle), 6);
  expect_box(rle, 1, 1, 4, 3);
}

// The strings, areas and boxes are what pycocotools 2.0 gives for the same masks.
TEST(Rle, StringsEqualThoseOfCocoTools) {
  struct Case {
    Mask mask;
    const char* text;
    int area;
    float x0, y0, x1, y1;
  };
  const auto rect = [](int y, int x) { return y >= 1 && y < 3 && x >= 1 && x < 4; };
  const auto disc = [](int y, int x) {
    return (y - 18) * (y - 18) + (x - 26) * (x - 26) <= 15 * 15;
  };
  const auto parts = [](int y, int x) { return (y >= 500 && x == 1000) || (y == 7 && x == 1919); };
  const auto corners = [](int y, int x) {
    return (y == 0 && x == 0) || (y == 39 && x == 39) || (y == 20 && x == 3);
  };
  for (const Case& c : std::vector<Case>{
           {mask_where(4, 5, rect), "5220003", 6, 1, 1, 4, 3},
           {mask_where(3, 2, [](int, int) { return true; }), "06", 6, 0, 0, 2, 3},
           {mask_where(37, 53, disc),
            "Y=1o0:I4L4M2N2N2O0O2O0O2O0000000O20N100000001N101N101N2N2N3L4L7FZ<", 709, 11, 3, 42,
            34},
           {mask_where(5, 6, [](int y, int x) { return (x + y) % 2 == 1; }),
            "111000000000000000000000000000", 15, 0, 0, 6, 5},
           {mask_where(1080, 1920, parts), "dUoP1Tb0gVXn0m]OijhQO", 581, 1000, 7, 1920, 1080},
           {mask_where(40, 40, corners), "01[40WY10", 3, 0, 0, 40, 40}}) {
    const Rle rle = encode_rle(c.mask);
    EXPECT_EQ(to_coco_string(rle), c.text);
    EXPECT_EQ(from_coco_string(c.text, c.mask.height, c.mask.width), rle);
    EXPECT_EQ(decode_rle(rle).data, c.mask.data);
    EXPECT_EQ(area(rle), c.area);
    expect_box(rle, c.x0, c.y0, c.x1, c.y1);
  }
}

TEST(Rle, AnEmptyMaskHasNoBox) {
  const Rle rle = encode_rle(mask_where(3, 2, [](int, int) { return false; }));
  EXPECT_EQ(to_coco_string(rle), "6");
  EXPECT_EQ(area(rle), 0);
  EXPECT_FALSE(bounding_box(rle).has_value());
}

/// Pixel by pixel.
std::vector<std::uint32_t> counted(const Mask& mask) {
  std::vector<std::uint32_t> counts = {0};
  for (int x = 0; x < mask.width; ++x)
    for (int y = 0; y < mask.height; ++y) {
      const bool inside = mask.data[static_cast<std::size_t>(y * mask.width + x)] != 0;
      if (inside != (counts.size() % 2 == 0)) counts.push_back(0);
      ++counts.back();
    }
  return counts;
}

TEST(Rle, CountsWhatEveryPixelSays) {
  std::mt19937 random(12);
  for (int round = 0; round < 200; ++round) {
    const int height = 1 + static_cast<int>(random() % 40),
              width = 1 + static_cast<int>(random() % 100);
    const int cell = 1 + static_cast<int>(random() % 9);
    // Checks, some with a pixel turned; any value but 0 is inside.
    Mask mask = mask_where(height, width, [&](int y, int x) { return (x / cell + y / cell) % 3; });
    mask.data[random() % mask.data.size()] ^= 1;
    for (std::uint8_t& value : mask.data)
      if (value) value = static_cast<std::uint8_t>(1 + random() % 255);
    ASSERT_EQ(encode_rle(mask).counts, counted(mask)) << height << " x " << width;
  }
}

TEST(Rle, RandomMasksSurviveTheWayThereAndBack) {
  std::mt19937 random(11);
  for (int round = 0; round < 200; ++round) {
    const int height = 1 + static_cast<int>(random() % 40),
              width = 1 + static_cast<int>(random() % 40);
    const unsigned density = 1 + random() % 99;
    const Mask mask = mask_where(height, width, [&](int, int) { return random() % 100 < density; });
    const Rle rle = encode_rle(mask);
    const Rle again = from_coco_string(to_coco_string(rle), height, width);
    ASSERT_EQ(again, rle);
    ASSERT_EQ(decode_rle(again).data, mask.data);
  }
}

TEST(Rle, RefusesRunsThatDoNotFit) {
  expect_error(ErrorCode::kInvalidArgument, "add up to 5, want 6", [] {
    decode_rle({3, 2, {2, 3}});
  });
  expect_error(ErrorCode::kInvalidArgument, "pixels", [] { decode_rle({0, 2, {}}); });
  expect_error(ErrorCode::kInvalidArgument, "mask of 1 bytes", [] { encode_rle({3, 2, {1}}); });
  expect_error(ErrorCode::kCorruptFile, "add up to 5", [] { from_coco_string("14", 3, 2); });
  expect_error(ErrorCode::kCorruptFile, "add up to", [] { from_coco_string("", 3, 2); });
  expect_error(ErrorCode::kCorruptFile, "a run of 7", [] { from_coco_string("7", 3, 2); });
  expect_error(ErrorCode::kCorruptFile, "does not end", [] { from_coco_string("6P", 3, 2); });
  expect_error(ErrorCode::kCorruptFile, "does not end",
               [] { from_coco_string("PPPPPPPPPPPP", 3, 2); });
  expect_error(ErrorCode::kCorruptFile, "no digit", [] { from_coco_string("6 ", 3, 2); });
  expect_error(ErrorCode::kCorruptFile, "a run of -1", [] { from_coco_string("O", 3, 2); });
  expect_error(ErrorCode::kCorruptFile, "pixels",
               [] { from_coco_string("6", 2000000000, 2000000000); });
}

}  // namespace
}  // namespace vostrack::annotations
