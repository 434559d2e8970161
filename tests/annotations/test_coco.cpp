#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "annotations/coco.hpp"
#include "annotations/polygon.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"

namespace vostrack::annotations {
namespace {

using test::expect_error;
using testing::ElementsAre;

Mask empty(int height, int width) {
  return {height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(height * width))};
}

TEST(FillPolygon, SetsPixelsWhoseCentresAreInside) {
  Mask mask = empty(4, 5);
  fill_polygon(mask, std::vector<double>{1, 1, 3.4, 1, 3.4, 3, 1, 3});
  EXPECT_THAT(mask.data, ElementsAre(0, 0, 0, 0, 0,  //
                                     0, 1, 1, 0, 0,  //
                                     0, 1, 1, 0, 0,  //
                                     0, 0, 0, 0, 0));
}

TEST(FillPolygon, CutsOffWhatIsOutside) {
  Mask mask = empty(3, 3);
  fill_polygon(mask, std::vector<double>{-5, -5, 20, -5, 20, 2, -5, 2});
  EXPECT_EQ(std::count(mask.data.begin(), mask.data.end(), 1), 6);
}

TEST(FillPolygon, NeedsThreeCorners) {
  Mask mask = empty(3, 3);
  expect_error(ErrorCode::kInvalidArgument, "outline of 4 values", [&] {
    fill_polygon(mask, std::vector<double>{0, 0, 1, 1});
  });
}

class Coco : public testing::Test {
 protected:
  std::vector<CocoPicture> read(const std::string& annotations) {
    test::write_bytes(path_,
                      R"({"images": [{"id": 7, "file_name": "a.jpg", "height": 4, "width": 5},
      {"id": 8, "file_name": "b.jpg", "height": 4, "width": 5}], "annotations": [)" +
                          annotations + "]}");
    return read_coco(path_);
  }

  test::TemporaryFolder folder_;
  std::string path_ = folder_ / "instances.json";
};

TEST_F(Coco, PaintsSmallerObjectsOverLargerOnesOverCrowds) {
  const auto pictures = read(
      R"({"image_id": 7, "segmentation": [[1, 1, 2, 1, 2, 2, 1, 2]], "iscrowd": 0},
         {"image_id": 7, "segmentation": {"size": [4, 5], "counts": [0, 8, 12]}, "iscrowd": 1},
         {"image_id": 7, "segmentation": [[1, 0, 4, 0, 4, 2, 1, 2]]})");
  ASSERT_EQ(pictures.size(), 2u);
  EXPECT_EQ(pictures[0].file, "a.jpg");
  EXPECT_TRUE(pictures[1].objects.empty());
  EXPECT_THAT(labels_of(pictures[0]).labels, ElementsAre(255, 1, 1, 1, 0,    //
                                                         255, 2, 1, 1, 0,    //
                                                         255, 255, 0, 0, 0,  //
                                                         255, 255, 0, 0, 0));
}

TEST_F(Coco, SaysWhatIsWrong) {
  expect_error(ErrorCode::kCorruptFile, "picture 9, which is not listed",
               [&] { read(R"({"image_id": 9, "segmentation": []})"); });
  expect_error(ErrorCode::kCorruptFile, "picture a.jpg: runs for 5x3, want 5x4", [&] {
    read(R"({"image_id": 7, "segmentation": {"size": [3, 5], "counts": [15]}})");
  });
  expect_error(ErrorCode::kCorruptFile, "is no COCO annotation",
               [&] { read(R"({"image_id": 7})"); });
  const auto pictures = read(R"({"image_id": 7, "segmentation": [[1, 1]]})");
  expect_error(ErrorCode::kCorruptFile, "a.jpg: an outline of 2 values",
               [&] { labels_of(pictures[0]); });
}

}  // namespace
}  // namespace vostrack::annotations
