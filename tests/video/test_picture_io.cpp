#include <gtest/gtest.h>

#include <random>

#include "support/temporary_folder.hpp"
#include "video/picture_io.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(Picture, SurvivesPngExactlyAndJpegNearly) {
  TemporaryFolder folder;
  const Image image = test::moving_square(40, 50, 3);
  write_picture(folder / "a.png", image);
  write_picture(folder / "a.JPG", image);
  EXPECT_EQ(read_picture(folder / "a.png").rgb, image.rgb);
  EXPECT_LT(test::difference(read_picture(folder / "a.JPG"), image), 3);
  EXPECT_EQ(folder.names().size(), 2u);
}

TEST(Picture, IsTurnedAsItsExifSays) {
  TemporaryFolder folder;
  Image image = test::plain(16, 32, 0, 0, 0);
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x) image.rgb[3 * (y * 32 + x)] = 255;  // the left half is red
  write_picture(folder / "a.jpg", image);
  std::string bytes = test::read_bytes(folder / "a.jpg");
  // An APP1 segment with one tag: orientation 6, a quarter turn to the right.
  const std::string exif(
      "\xff\xe1\x00\x22"
      "Exif\0\0"
      "MM\0\x2a\0\0\0\x08"
      "\0\x01"
      "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
      "\0\0\0\0",
      36);
  bytes.insert(2, exif);
  test::write_bytes(folder / "turned.jpg", bytes);
  const Image upright = read_picture(folder / "turned.jpg");
  EXPECT_EQ(upright.height, 32);
  EXPECT_EQ(upright.width, 16);
  EXPECT_GT(upright.rgb[0], 200);  // the left half is on top now
  EXPECT_LT(upright.rgb[3 * (16 * 32 - 1)], 50);
}

TEST(Picture, CutShortOrAbsurdIsRefused) {
  TemporaryFolder folder;
  write_picture(folder / "a.jpg", test::moving_square(64, 64, 1));
  write_picture(folder / "a.png", test::moving_square(64, 64, 1));
  for (const char* name : {"a.jpg", "a.png"}) {
    const std::string bytes = test::read_bytes(folder / name);
    for (std::size_t length :
         {std::size_t{0}, std::size_t{3}, std::size_t{40}, bytes.size() / 2, bytes.size() - 10}) {
      test::write_bytes(folder / name, bytes.substr(0, length));
      expect_error(ErrorCode::kDecode, name, [&] { read_picture(folder / name); });
    }
    test::write_bytes(folder / name, bytes);
  }
  std::string bytes = test::read_bytes(folder / "a.png");
  bytes[16] = bytes[20] = '\x10';  // width and height of 2^28 each
  test::write_bytes(folder / "huge.png", bytes);
  expect_error(ErrorCode::kDecode, "claims to be", [&] { read_picture(folder / "huge.png"); });
}

TEST(Picture, SurvivesDamageAnywhere) {
  TemporaryFolder folder;
  std::mt19937 random(5);
  for (const char* name : {"a.jpg", "a.png"}) {
    write_picture(folder / name, test::moving_square(64, 64, 1));
    const std::string bytes = test::read_bytes(folder / name);
    for (int round = 0; round < 50; ++round) {
      std::string damaged = bytes;
      for (int i = 0; i < 3; ++i) damaged[random() % damaged.size()] = static_cast<char>(random());
      test::write_bytes(folder / name, damaged);
      try {
        const Image image = read_picture(folder / name);
        EXPECT_EQ(image.rgb.size(), std::size_t{3} * image.height * image.width);
      } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(name), std::string::npos);
      }
    }
  }
}

TEST(Picture, IsNotWrittenByHalves) {
  TemporaryFolder folder;
  const Image image = test::plain(4, 4, 1, 2, 3);
  expect_error(ErrorCode::kNotFound, "no folder",
               [&] { write_picture(folder / "gone/a.png", image); });
  expect_error(ErrorCode::kInvalidArgument, ".gif",
               [&] { write_picture(folder / "a.gif", image); });
  expect_error(ErrorCode::kInvalidArgument, "47 bytes", [&] {
    Image wrong = image;
    wrong.rgb.pop_back();
    write_picture(folder / "a.png", wrong);
  });
  expect_error(ErrorCode::kNotFound, "gone.png", [&] { read_picture(folder / "gone.png"); });
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace vostrack::video
