#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "support/temporary_folder.hpp"
#include "video/open.hpp"
#include "video/page_source.hpp"
#include "video/picture_io.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

void write_pages(const std::string& path, const std::vector<cv::Size>& sizes) {
  std::vector<cv::Mat> pages;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    pages.emplace_back(sizes[i], CV_8UC3, cv::Scalar(10, 20, 30. * static_cast<double>(i)));
  ASSERT_TRUE(cv::imwritemulti(path, pages));
}

TEST(PageSource, GivesThePagesOfATiffInAnyOrder) {
  TemporaryFolder folder;
  write_pages(folder / "cells.tif", {{9, 7}, {9, 7}, {9, 7}, {9, 7}});
  auto source = open_source(folder / "cells.tif", {.decode = {}, .folder = {.fps = 2}});
  ASSERT_EQ(source->frame_count(), 4);
  EXPECT_EQ(source->height(), 7);
  EXPECT_EQ(source->width(), 9);
  for (int i : {0, 3, 1, 2, 2}) {
    const Frame frame = source->read(i);
    EXPECT_EQ(frame.index, i);
    EXPECT_EQ(frame.name, "0000" + std::to_string(i));
    EXPECT_DOUBLE_EQ(frame.pts_s, i / 2.0);
    EXPECT_EQ(frame.image.rgb[0], 30 * i);
    EXPECT_EQ(frame.image.rgb[1], 20);
    EXPECT_EQ(frame.image.rgb[2], 10);
  }
  expect_error(ErrorCode::kOutOfRange, "no page 4", [&] { source->read(4); });
}

TEST(PageSource, RefusesAPageOfAnotherSizeWhenItIsRead) {
  TemporaryFolder folder;
  write_pages(folder / "cells.tiff", {{9, 7}, {8, 7}, {9, 7}});
  auto source = open_source(folder / "cells.tiff");
  EXPECT_EQ(source->read(2).image.rgb[0], 60);
  expect_error(ErrorCode::kDecode, "page 1 has 8x7 pixels, want 9x7", [&] { source->read(1); });
}

TEST(PageSource, RefusesAPageThatWouldTakeAbsurdMemory) {
  TemporaryFolder folder;
  write_pages(folder / "cells.tif", {{9, 7}, {8, 7}});
  std::string bytes = test::read_bytes(folder / "cells.tif");
  // The width of page 1, a value of 16 bits, becomes one of 32 bits.
  const std::string width = {'\x00', '\x01', '\x03', '\0', '\x01', '\0', '\0', '\0', '\x08', '\0'};
  const std::size_t at = bytes.rfind(width);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 2] = '\x04';
  bytes[at + 11] = '\x40';
  test::write_bytes(folder / "huge.tif", bytes);
  expect_error(ErrorCode::kDecode, "huge.tif: page 1 claims to be 1073741832x7",
               [&] { open_source(folder / "huge.tif"); });
}

TEST(PageSource, ASinglePageIsAPicture) {
  TemporaryFolder folder;
  write_pages(folder / "one.tif", {{9, 7}});
  auto source = open_source(folder / "one.tif");
  EXPECT_EQ(source->frame_count(), 1);
  EXPECT_EQ(source->name(0), "one");
}

TEST(PageSource, RefusesWhatIsNoTiff) {
  TemporaryFolder folder;
  test::write_bytes(folder / "noise.tif", "II*\0 no, this is none");
  expect_error(ErrorCode::kDecode, "noise.tif", [&] { open_pages(folder / "noise.tif"); });
  expect_error(ErrorCode::kDecode, "noise.tif", [&] { open_source(folder / "noise.tif"); });
  expect_error(ErrorCode::kNotFound, "gone.tif", [&] { open_pages(folder / "gone.tif"); });
}

TEST(OpenSource, TakesAPatternWhereNoFileHasThatName) {
  TemporaryFolder folder;
  for (const char* name : {"a_10.png", "a_9.png", "b_1.png"})
    write_picture(folder / name, test::plain(6, 8, 1, 2, 3));
  test::write_bytes(folder / "a_notes.txt", "not a picture");
  auto source = open_source(folder / "a_*");
  ASSERT_EQ(source->frame_count(), 2);
  EXPECT_EQ(source->name(0), "a_9");
  EXPECT_EQ(source->name(1), "a_10");
  expect_error(ErrorCode::kNotFound, "c_*: matches no picture",
               [&] { open_source(folder / "c_*"); });
  write_picture(folder / "[x].png", test::plain(6, 8, 1, 2, 3));
  EXPECT_EQ(open_source(folder / "[x].png")->name(0), "[x]");
}

}  // namespace
}  // namespace vostrack::video
