#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/imgcodecs.hpp>
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

/// A WebP whose EXIF data states an orientation, in the order of bytes that `mark` names.
std::string webp_with_exif(const std::string& webp, int height, int width, char mark, int value) {
  const auto little = [](std::size_t number, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> 8 * i & 0xff);
    return text;
  };
  const auto own = [&](int number, int bytes) {
    std::string text = little(static_cast<std::size_t>(number), bytes);
    return mark == 'M' ? std::string(text.rbegin(), text.rend()) : text;
  };
  const std::string exif = std::string(2, mark) + own(42, 2) + own(8, 4) + own(1, 2) +
                           own(0x112, 2) + own(3, 2) + own(1, 4) + own(value, 2) + own(0, 2) +
                           own(0, 4);
  const std::string chunks = "VP8X" + little(10, 4) + little(8, 4) +
                             little(static_cast<std::size_t>(width) - 1, 3) +
                             little(static_cast<std::size_t>(height) - 1, 3) + webp.substr(12) +
                             "EXIF" + little(exif.size(), 4) + exif;
  return "RIFF" + little(chunks.size() + 4, 4) + "WEBP" + chunks;
}

TEST(Picture, OfWebpIsTurnedAsItsExifSays) {
  TemporaryFolder folder;
  Image image = test::plain(16, 32, 10, 20, 30);
  image.rgb[0] = 250;  // a mark at the left of the top row
  cv::imwrite(folder / "a.webp", cv::Mat(16, 32, CV_8UC3, image.rgb.data()),
              {cv::IMWRITE_WEBP_QUALITY, 101});
  const std::string webp = test::read_bytes(folder / "a.webp");
  // Where the mark is by each of the eight values: whether below, whether right, whether turned.
  constexpr bool kBelow[] = {false, false, true, true, false, false, true, true};
  constexpr bool kRight[] = {false, true, true, false, false, true, true, false};
  for (const char mark : {'M', 'I'})
    for (int value = 1; value <= 8; ++value) {
      test::write_bytes(folder / "turned.webp", webp_with_exif(webp, 16, 32, mark, value));
      const Image upright = read_picture(folder / "turned.webp");
      ASSERT_EQ(upright.height, value >= 5 ? 32 : 16) << value;
      ASSERT_EQ(upright.width, value >= 5 ? 16 : 32) << value;
      const int y = kBelow[value - 1] ? upright.height - 1 : 0;
      const int x = kRight[value - 1] ? upright.width - 1 : 0;
      EXPECT_EQ(upright.rgb[3 * (y * upright.width + x) + 2], 250) << value;
      EXPECT_EQ(std::count(upright.rgb.begin(), upright.rgb.end(), 250), 1) << value;
    }
}

TEST(Picture, OfAnyKindIsReadAsRgbOfEightBits) {
  TemporaryFolder folder;
  const cv::Mat grey16(8, 9, CV_16U, cv::Scalar(200 * 257));
  const cv::Mat colour16(8, 9, CV_16UC3, cv::Scalar(30 * 257, 20 * 257, 10 * 257));
  const cv::Mat see_through(8, 9, CV_8UC4, cv::Scalar(30, 20, 10, 100));
  for (const char* name : {"grey.png", "grey.tif"}) {
    cv::imwrite(folder / name, grey16);
    EXPECT_EQ(read_picture(folder / name).rgb, test::plain(8, 9, 200, 200, 200).rgb) << name;
  }
  for (const char* name : {"colour.png", "colour.tif"}) {
    cv::imwrite(folder / name, colour16);
    EXPECT_EQ(read_picture(folder / name).rgb, test::plain(8, 9, 10, 20, 30).rgb) << name;
  }
  cv::imwrite(folder / "see_through.png", see_through);
  EXPECT_EQ(read_picture(folder / "see_through.png").rgb, test::plain(8, 9, 10, 20, 30).rgb);
  cv::imwrite(folder / "see_through.webp", see_through, {cv::IMWRITE_WEBP_QUALITY, 101});
  EXPECT_EQ(read_picture(folder / "see_through.webp").rgb, test::plain(8, 9, 10, 20, 30).rgb);
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
  // A TIFF of one directory with two tags: 2^20 times 2^20 pixels.
  const std::string tiff(
      "MM\0\x2a\0\0\0\x08"
      "\0\x02"
      "\x01\x00\0\x04\0\0\0\x01\0\x10\0\0"
      "\x01\x01\0\x04\0\0\0\x01\0\x10\0\0"
      "\0\0\0\0",
      38);
  test::write_bytes(folder / "huge.tif", tiff);
  expect_error(ErrorCode::kDecode, "huge.tif: claims to be 1048576x1048576",
               [&] { read_picture(folder / "huge.tif"); });
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
