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

/// A little-endian TIFF with pages of two pixels beside each other, four samples each.
struct TiffOfFour {
  int bits = 8;
  int format = 1;  ///< 1 unsigned, 2 signed, 3 floating point
  int alpha = 2;   ///< 1 multiplied into the colours, 2 not

  std::string of(const std::vector<std::string>& pages) const {
    std::string bytes("II\x2a\0\x08\0\0\0", 8);
    const auto put = [&](std::size_t value, int count) {
      for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> 8 * i & 255);
    };
    for (const std::string& samples : pages) {
      const std::size_t values = bytes.size() + 2 + 12 * 11 + 4;
      const auto entry = [&](int tag, int type, std::size_t count, std::size_t value) {
        put(static_cast<std::size_t>(tag), 2), put(static_cast<std::size_t>(type), 2);
        put(count, 4), put(value, 4);
      };
      put(11, 2);
      entry(256, 4, 1, 2);               // width
      entry(257, 4, 1, 1);               // height
      entry(258, 3, 4, values);          // bits of each sample
      entry(259, 3, 1, 1);               // not compressed
      entry(262, 3, 1, 2);               // RGB
      entry(273, 4, 1, values + 16);     // where the samples lie
      entry(277, 3, 1, 4);               // samples of a pixel
      entry(278, 4, 1, 1);               // rows of a strip
      entry(279, 4, 1, samples.size());  // bytes of the strip
      entry(338, 3, 1, static_cast<std::size_t>(alpha));
      entry(339, 3, 4, values + 8);  // kinds of samples
      const bool last = &samples == &pages.back();
      put(last ? 0 : values + 16 + samples.size(), 4);
      for (int i = 0; i < 4; ++i) put(static_cast<std::size_t>(bits), 2);
      for (int i = 0; i < 4; ++i) put(static_cast<std::size_t>(format), 2);
      bytes += samples;
    }
    return bytes;
  }
};

TEST(PageSource, LeavesColoursAloneWhateverAlphaSays) {
  TemporaryFolder folder;
  const std::string first = {50, 20, 10, 127, 50, 20, 10, 0}, second = {5, 6, 7, 1, 8, 9, 10, 2};
  for (const int alpha : {0, 1, 2}) {
    test::write_bytes(folder / "a.tif", TiffOfFour{.alpha = alpha}.of({first, second, first}));
    auto source = open_source(folder / "a.tif");
    ASSERT_EQ(source->frame_count(), 3);
    EXPECT_EQ(source->read(1).image.rgb, (std::vector<std::uint8_t>{5, 6, 7, 8, 9, 10})) << alpha;
    for (const int page : {2, 0})
      EXPECT_EQ(source->read(page).image.rgb, (std::vector<std::uint8_t>{50, 20, 10, 50, 20, 10}))
          << alpha;
    EXPECT_EQ(read_picture(folder / "a.tif").rgb, source->read(0).image.rgb) << alpha;
  }
}

TEST(PageSource, RefusesSamplesThatAreNotUnsignedIntegers) {
  TemporaryFolder folder;
  test::write_bytes(folder / "f.tif",
                    TiffOfFour{.bits = 32, .format = 3}.of({std::string(32, '\0')}));
  const char* floats = "floats of 32 bits, want unsigned integers";
  expect_error(ErrorCode::kUnsupported, floats, [&] { read_picture(folder / "f.tif"); });
  expect_error(ErrorCode::kUnsupported, floats, [&] { open_pages(folder / "f.tif", {}); });
  test::write_bytes(folder / "s.tif",
                    TiffOfFour{.bits = 16, .format = 2}.of({std::string(16, '\1')}));
  expect_error(ErrorCode::kUnsupported, "signed integers of 16 bits",
               [&] { read_picture(folder / "s.tif"); });
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
