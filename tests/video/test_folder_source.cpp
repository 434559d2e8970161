#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_folder.hpp"
#include "video/folder_source.hpp"
#include "video/picture_io.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(FolderSource, ReadsPicturesInNaturalOrder) {
  TemporaryFolder folder;
  for (int i : {10, 9, 2, 100}) {
    const auto level = static_cast<std::uint8_t>(i);
    write_picture(folder / ("frame" + std::to_string(i) + ".png"),
                  test::plain(6, 8, level, level, level));
  }
  test::write_bytes(folder / "notes.txt", "not a picture");
  test::write_bytes(folder / ".hidden.png", "not a picture either");
  std::filesystem::create_directory(folder / "inner.png");
  auto source = open_folder(folder.path().string(), {.fps = 10});
  ASSERT_EQ(source->frame_count(), 4);
  EXPECT_EQ(source->height(), 6);
  EXPECT_EQ(source->width(), 8);
  const int expected[] = {2, 9, 10, 100};
  for (int i = 0; i < 4; ++i) {
    const Frame frame = source->read(i);
    EXPECT_EQ(frame.name, "frame" + std::to_string(expected[i]));
    EXPECT_EQ(frame.image.rgb[0], expected[i]);
    EXPECT_DOUBLE_EQ(frame.pts_s, i / 10.0);
    EXPECT_EQ(frame.index, i);
  }
  expect_error(ErrorCode::kOutOfRange, "frames 0 to 3", [&] { source->read(4); });
}

TEST(FolderSource, NamesThePictureThatIsToBlame) {
  TemporaryFolder folder;
  write_picture(folder / "1.png", test::plain(6, 8, 1, 2, 3));
  write_picture(folder / "2.jpg", test::plain(8, 6, 1, 2, 3));
  test::write_bytes(folder / "3.png", "broken");
  auto source = open_folder(folder.path().string());
  expect_error(ErrorCode::kDecode, "2.jpg: 6x8 pixels, want 8x6", [&] { source->read(1); });
  expect_error(ErrorCode::kDecode, "3.png", [&] { source->read(2); });
  EXPECT_EQ(source->read(0).image.rgb[2], 3);
}

TEST(FolderSource, RefusesWhatHasNoPictures) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, "no pictures in it",
               [&] { open_folder(folder.path().string()); });
  expect_error(ErrorCode::kNotFound, "no such folder", [&] { open_folder(folder / "gone"); });
  expect_error(ErrorCode::kInvalidArgument, "at least one", [] { open_pictures({}); });
  write_picture(folder / "1.png", test::plain(6, 8, 1, 2, 3));
  expect_error(ErrorCode::kInvalidArgument, "above 0",
               [&] { open_folder(folder.path().string(), {.fps = 0}); });
}

TEST(NaturalOrder, CountsDigitsAsNumbers) {
  EXPECT_TRUE(natural_less("2.jpg", "10.jpg"));
  EXPECT_TRUE(natural_less("a9b1", "a10b0"));
  EXPECT_TRUE(natural_less("img", "img1"));
  EXPECT_TRUE(natural_less("00009", "00010"));
  EXPECT_TRUE(natural_less("99999999999999999999", "100000000000000000000"));
  EXPECT_FALSE(natural_less("1", "1"));
  EXPECT_NE(natural_less("01", "1"), natural_less("1", "01"));
  EXPECT_TRUE(natural_less("0.png", "1.png"));
}

}  // namespace
}  // namespace vostrack::video
