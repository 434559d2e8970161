#include <gtest/gtest.h>
#include <png.h>
#include <zlib.h>

#include <memory>
#include <random>

#include "annotations/palette_png.hpp"
#include "support/errors.hpp"
#include "support/shared_data.hpp"
#include "support/temporary_folder.hpp"

namespace vostrack::annotations {
namespace {

using test::expect_error;
using test::TemporaryFolder;

LabelImage stripes(int height, int width, int labels) {
  LabelImage image{height, width, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      image.labels.push_back(static_cast<std::uint8_t>((x + y) % labels));
  return image;
}

/// Writes rows as they are, to make the kinds of PNG that we only read.
void write_raw_png(const std::string& path, int height, int width, int type, int depth,
                   const std::vector<std::uint8_t>& rows, int interlace = PNG_INTERLACE_NONE) {
  std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "wb"), std::fclose);
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file.get());
  png_set_IHDR(png, info, width, height, depth, type, interlace, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette(std::size_t{1} << std::min(depth, 8), png_color{1, 2, 3});
  if (type == PNG_COLOR_TYPE_PALETTE)
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  std::vector<std::uint8_t> copy = rows;
  std::vector<png_bytep> pointers;
  for (int y = 0; y < height; ++y) pointers.push_back(copy.data() + copy.size() / height * y);
  png_set_rows(png, info, pointers.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
}

TEST(VocPalette, HasThePublishedColours) {
  using Colour = std::array<std::uint8_t, 3>;
  EXPECT_EQ(voc_colour(0), (Colour{0, 0, 0}));
  EXPECT_EQ(voc_colour(1), (Colour{128, 0, 0}));
  EXPECT_EQ(voc_colour(2), (Colour{0, 128, 0}));
  EXPECT_EQ(voc_colour(3), (Colour{128, 128, 0}));
  EXPECT_EQ(voc_colour(15), (Colour{192, 128, 128}));
  EXPECT_EQ(voc_colour(20), (Colour{0, 64, 128}));
  EXPECT_EQ(voc_colour(255), (Colour{224, 224, 192}));
}

TEST(LabelPng, KeepsAllLabels) {
  TemporaryFolder folder;
  const LabelImage image = stripes(31, 300, 256);
  write_label_png(folder / "a.png", image);
  const LabelImage again = read_label_png(folder / "a.png");
  EXPECT_EQ(again.height, 31);
  EXPECT_EQ(again.width, 300);
  EXPECT_EQ(again.labels, image.labels);
  EXPECT_EQ(labels_in(again).size(), 255u);
  EXPECT_EQ(folder.names().size(), 1u);
}

TEST(LabelPng, CarriesTheVocPalette) {
  TemporaryFolder folder;
  write_label_png(folder / "a.png", stripes(4, 4, 3));
  const std::string bytes = test::read_bytes(folder / "a.png");
  const std::size_t at = bytes.find("PLTE");
  ASSERT_NE(at, std::string::npos);
  for (int i = 0; i < 256; ++i)
    for (int c = 0; c < 3; ++c)
      ASSERT_EQ(static_cast<std::uint8_t>(bytes[at + 4 + 3 * i + c]),
                voc_colour(static_cast<std::uint8_t>(i))[c]);
}

TEST(LabelPng, ReadsPackedIndicesOfEveryDepth) {
  TemporaryFolder folder;
  write_raw_png(folder / "a.png", 1, 8, PNG_COLOR_TYPE_PALETTE, 1, {0b01000110});
  EXPECT_EQ(read_label_png(folder / "a.png").labels,
            (std::vector<std::uint8_t>{0, 1, 0, 0, 0, 1, 1, 0}));
  write_raw_png(folder / "a.png", 2, 3, PNG_COLOR_TYPE_PALETTE, 2, {0b01101100, 0b00011000});
  EXPECT_EQ(read_label_png(folder / "a.png").labels, (std::vector<std::uint8_t>{1, 2, 3, 0, 1, 2}));
  write_raw_png(folder / "a.png", 1, 3, PNG_COLOR_TYPE_PALETTE, 4, {0xf3, 0x10});
  EXPECT_EQ(read_label_png(folder / "a.png").labels, (std::vector<std::uint8_t>{15, 3, 1}));
}

TEST(LabelPng, ReadsGreyAndTheFirstOfSeveralChannels) {
  TemporaryFolder folder;
  write_raw_png(folder / "a.png", 1, 3, PNG_COLOR_TYPE_GRAY, 8, {0, 255, 7});
  EXPECT_EQ(read_label_png(folder / "a.png").labels, (std::vector<std::uint8_t>{0, 255, 7}));
  write_raw_png(folder / "a.png", 1, 3, PNG_COLOR_TYPE_GRAY, 1, {0b01000000});
  EXPECT_EQ(read_label_png(folder / "a.png").labels, (std::vector<std::uint8_t>{0, 255, 0}));
  write_raw_png(folder / "a.png", 1, 2, PNG_COLOR_TYPE_GRAY_ALPHA, 8, {9, 255, 8, 0});
  EXPECT_EQ(read_label_png(folder / "a.png").labels, (std::vector<std::uint8_t>{9, 8}));
  write_raw_png(folder / "a.png", 1, 2, PNG_COLOR_TYPE_RGB_ALPHA, 8, {5, 1, 1, 255, 6, 2, 2, 0});
  EXPECT_EQ(read_label_png(folder / "a.png").labels, (std::vector<std::uint8_t>{5, 6}));
}

TEST(LabelPng, ReadsInterlacedFiles) {
  TemporaryFolder folder;
  const LabelImage image = stripes(13, 17, 9);
  write_raw_png(folder / "a.png", 13, 17, PNG_COLOR_TYPE_PALETTE, 8, image.labels,
                PNG_INTERLACE_ADAM7);
  EXPECT_EQ(read_label_png(folder / "a.png").labels, image.labels);
}

TEST(LabelPng, RefusesDamageAndAbsurdSizes) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, "gone.png", [&] { read_label_png(folder / "gone.png"); });
  test::write_bytes(folder / "text.png", "not a picture");
  expect_error(ErrorCode::kCorruptFile, "not a PNG", [&] { read_label_png(folder / "text.png"); });
  write_raw_png(folder / "deep.png", 1, 1, PNG_COLOR_TYPE_GRAY, 16, {0, 1});
  expect_error(ErrorCode::kUnsupported, "16 bits", [&] { read_label_png(folder / "deep.png"); });

  write_label_png(folder / "a.png", stripes(40, 40, 5));
  const std::string bytes = test::read_bytes(folder / "a.png");
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    test::write_bytes(folder / "cut.png", bytes.substr(0, length));
    expect_error(ErrorCode::kCorruptFile, "cut.png", [&] { read_label_png(folder / "cut.png"); });
  }
  std::mt19937 random(4);
  for (int round = 0; round < 200; ++round) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
    test::write_bytes(folder / "damaged.png", damaged);
    try {
      const LabelImage image = read_label_png(folder / "damaged.png");
      EXPECT_EQ(image.labels.size(), std::size_t{1} * image.height * image.width);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("damaged.png"), std::string::npos);
    }
  }
}

TEST(LabelPng, ASmallFileCannotClaimALargePicture) {
  TemporaryFolder folder;
  // A header that is right down to its checksum, for 16000 x 16000 pixels, and no data.
  std::string bytes("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x3e\x80\0\0\x3e\x80\x08\0\0\0\0", 29);
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + 12), 17);
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(crc >> shift));
  bytes += std::string("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
  test::write_bytes(folder / "huge.png", bytes);
  expect_error(ErrorCode::kCorruptFile, "too few for 16000x16000",
               [&] { read_label_png(folder / "huge.png"); });
}

TEST(LabelPng, IsNotWrittenByHalves) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kInvalidArgument, "3 labels, want 2 x 2", [&] {
    write_label_png(folder / "a.png", {2, 2, {0, 1, 2}});
  });
  expect_error(ErrorCode::kNotFound, "no folder", [&] {
    write_label_png(folder / "b/a.png", {1, 1, {0}});
  });
  EXPECT_TRUE(folder.names().empty());
}

TEST(LabelPng, MasksPickOneLabel) {
  const LabelImage image{1, 4, {0, 2, 7, 2}};
  EXPECT_EQ(labels_in(image), (std::vector<std::uint8_t>{2, 7}));
  EXPECT_EQ(mask_of(image, 2).data, (std::vector<std::uint8_t>{0, 1, 0, 1}));
}

TEST(LabelPng, ReadsEveryDavisAnnotation) {
  const auto root = test::shared_data("data/davis2016");
  if (root.empty()) GTEST_SKIP() << "no shared DAVIS annotations";
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "Annotations")) {
    if (entry.path().extension() != ".png") continue;
    const LabelImage image = read_label_png(entry.path().string());
    EXPECT_EQ(image.height, 480) << entry.path();
    const auto labels = labels_in(image);
    EXPECT_TRUE(labels.empty() || labels == std::vector<std::uint8_t>{255}) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 700);
  const LabelImage two =
      read_label_png((root / "Annotations_multi/480p/bmx-trees/00000.png").string());
  EXPECT_EQ(labels_in(two), (std::vector<std::uint8_t>{1, 2}));
}

}  // namespace
}  // namespace vostrack::annotations
