/// Pictures pushed, drawn on and written through the installed interface.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "vostrack/vostrack.hpp"

namespace vostrack {
namespace {

using test::expect_error;
using test::TemporaryFolder;

Image plain(int height, int width, Rgb colour) {
  Image image{height, width, {}};
  for (int i = 0; i < height * width; ++i)
    image.rgb.insert(image.rgb.end(), {colour.r, colour.g, colour.b});
  return image;
}

/// The left half.
Mask left_half(int height, int width) {
  Mask mask{height, width, {}};
  for (int i = 0; i < height * width; ++i) mask.data.push_back(i % width < width / 2 ? 1 : 0);
  return mask;
}

Rgb pixel(const Image& image, int y, int x) {
  const std::uint8_t* rgb = image.rgb.data() + 3 * (y * image.width + x);
  return {rgb[0], rgb[1], rgb[2]};
}

TEST(PushedVideo, GivesBorrowedPicturesUprightInRgb) {
  PushedVideo video;
  const std::vector<std::uint8_t> bgr = {3, 2, 1, 6, 5, 4};  // two rows of one pixel
  PushedPicture picture;
  picture.layout = PixelLayout::kBgr;
  picture.height = 2;
  picture.width = 1;
  picture.planes[0] = bgr.data() + 3;
  picture.strides[0] = -3;
  std::thread pushing([&] {
    EXPECT_TRUE(video.push(picture, 0.5));
    const std::vector<std::uint8_t> grey = {9, 8};
    picture.layout = PixelLayout::kGray;
    picture.planes[0] = grey.data();
    picture.strides[0] = 1;
    EXPECT_TRUE(video.push(picture, 1.5));
    video.close();
    EXPECT_FALSE(video.push(picture, 2.5));
  });
  const auto first = video.next(), second = video.next();
  pushing.join();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->frame.image.rgb, (std::vector<std::uint8_t>{4, 5, 6, 1, 2, 3}));
  EXPECT_EQ(first->frame.pts_s, 0.5);
  EXPECT_EQ(second->frame.image.rgb, (std::vector<std::uint8_t>{9, 9, 9, 8, 8, 8}));
  EXPECT_EQ(second->frame.index, 1);
  EXPECT_FALSE(video.next());
  EXPECT_EQ(video.dropped(), 0);
}

TEST(PushedVideo, DropsByItsPolicyAndRefusesOptions) {
  PushedOptions options;
  options.policy = LivePolicy::kLatestOnly;
  PushedVideo video(options);
  for (int i = 0; i < 3; ++i) video.push(plain(2, 2, {1, 2, 3}), i);
  EXPECT_EQ(video.next()->frame.index, 2);
  EXPECT_EQ(video.dropped(), 2);
  options.queue_frames = 0;
  expect_error(ErrorCode::kInvalidArgument, "queue of 0 frames", [&] { PushedVideo{options}; });
}

TEST(Drawing, ChangesTheSideThatIsMeant) {
  const Mask mask = left_half(40, 60);
  const Rgb ground{90, 90, 90}, colour = object_colour(1);
  EXPECT_NE(colour, object_colour(2));
  Image tinted = plain(40, 60, ground);
  draw_mask(tinted, mask, colour);
  EXPECT_NE(pixel(tinted, 20, 5), ground);
  EXPECT_EQ(pixel(tinted, 20, 50), ground);

  Image speckled = plain(40, 60, ground);
  for (std::size_t i = 0; i < speckled.rgb.size(); i += 6) speckled.rgb[i] = 255;
  for (const Region region : {Region::kObject, Region::kBackground}) {
    Image blurred = speckled, squares = speckled;
    blur(blurred, mask, region, 3);
    pixelate(squares, mask, region, 8);
    const int changed = region == Region::kObject ? 10 : 50, kept = 60 - changed;
    for (const Image* image : {&blurred, &squares}) {
      EXPECT_NE(pixel(*image, 20, changed), pixel(speckled, 20, changed));
      for (int y = 0; y < 40; ++y) EXPECT_EQ(pixel(*image, y, kept), pixel(speckled, y, kept));
    }
  }
  const Image both = side_by_side(speckled, tinted);
  EXPECT_EQ(both.width, 120);
  EXPECT_EQ(pixel(both, 20, 65), pixel(tinted, 20, 5));

  const RgbaImage object = cut_out(tinted, mask);
  EXPECT_EQ(object.rgba[4 * (20 * 60 + 5) + 3], 255);
  EXPECT_EQ(object.rgba[4 * (20 * 60 + 50) + 3], 0);

  Image labelled = plain(40, 60, ground);
  draw_label(labelled, 0, 40, "1", colour);
  draw_box(labelled, {30, 5, 50, 25}, colour);
  draw_clicks(labelled, {{40, 15}});
  EXPECT_EQ(pixel(labelled, 5, 40), colour);
  EXPECT_NE(pixel(labelled, 15, 40), ground);
}

TEST(VideoWriter, KeepsAVariableRateAndLeavesNothingUnfinished) {
  TemporaryFolder folder;
  {
    VideoWriter writer(folder / "clip.mp4", 48, 64);
    for (const double time : {0.0, 0.5, 0.6, 2.0}) writer.write(plain(48, 64, {200, 30, 30}), time);
    EXPECT_FALSE(std::filesystem::exists(folder / "clip.mp4"));
    writer.finish();
    VideoWriter unfinished(folder / "other.mp4", 48, 64);
    unfinished.write(plain(48, 64, {1, 1, 1}), 0);
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"clip.mp4"});
  auto source = open_video(folder / "clip.mp4");
  ASSERT_EQ(source->frame_count(), 4);
  EXPECT_NEAR(source->pts_s(2), 0.6, 1e-4);
  EXPECT_NEAR(pixel(source->read(3).image, 20, 20).r, 200, 6);
  expect_error(ErrorCode::kInvalidArgument, "crf: 70", [&] {
    VideoWriterOptions options;
    options.crf = 70;
    VideoWriter(folder / "a.mp4", 48, 64, options);
  });
}

TEST(VideoWriter, NamesSoundThatIsNotThere) {
  TemporaryFolder folder;
  VideoWriterOptions options;
  options.sound = SoundSource{folder / "gone.mp4"};
  expect_error(ErrorCode::kNotFound, "gone.mp4",
               [&] { VideoWriter(folder / "a.mp4", 48, 64, options); });
  EXPECT_TRUE(folder.names().empty());
}

TEST(Writers, KeepLabelsMasksAndOpacity) {
  TemporaryFolder folder;
  const Mask mask = left_half(20, 30);
  LabelVideoWriter labels(folder / "labels.mkv", 20, 30);
  labels.write(mask.data, 0);
  labels.write(std::vector<std::uint8_t>(600, 7), 1.5);
  labels.finish();
  auto source = open_video(folder / "labels.mkv");
  EXPECT_EQ(pixel(source->read(1).image, 3, 3), (Rgb{7, 7, 7}));
  EXPECT_EQ(pixel(source->read(0).image, 3, 3), (Rgb{1, 1, 1}));
  EXPECT_EQ(source->pts_s(1), 1.5);

  const RgbaImage object = cut_out(plain(20, 30, {10, 20, 30}), mask);
  CutOutWriter cut_outs(folder / "object", 20, 30);
  cut_outs.write(object, 0);
  cut_outs.finish();
  EXPECT_TRUE(read_image(folder / "object/00000.png").rgb == plain(20, 30, {10, 20, 30}).rgb);
  write_image(folder / "object.png", object);
  write_image(folder / "picture.png", plain(20, 30, {4, 5, 6}));
  EXPECT_EQ(pixel(read_image(folder / "picture.png"), 0, 0), (Rgb{4, 5, 6}));
  write_mask(folder / "mask.png", mask);
  EXPECT_EQ(pixel(read_image(folder / "mask.png"), 0, 0), (Rgb{255, 255, 255}));
  EXPECT_EQ(pixel(read_image(folder / "mask.png"), 0, 29), (Rgb{0, 0, 0}));
}

TEST(PipeWriter, WritesBytesAndSaysWhenItsReaderIsGone) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  PipeWriter writer(ends[1], "the pipe", PipeFormat::kRgb24, 2, 2);
  writer.write(plain(2, 2, {1, 2, 3}));
  std::vector<std::uint8_t> got(12);
  EXPECT_EQ(::read(ends[0], got.data(), 100), 12);
  EXPECT_EQ(got, plain(2, 2, {1, 2, 3}).rgb);
  expect_error(ErrorCode::kInvalidArgument, "one byte a pixel",
               [&] { writer.write(std::vector<std::uint8_t>(4)); });
  ::close(ends[0]);
  expect_error(ErrorCode::kIo, "the pipe: its reader closed it", [&] {
    writer.write(plain(2, 2, {1, 2, 3}));
  });
  ::close(ends[1]);
}

}  // namespace
}  // namespace vostrack
