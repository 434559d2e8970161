#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "video/file_source.hpp"
#include "video/label_video.hpp"
#include "video/small_disk.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(LabelVideo, IsReadBackToTheLastBitAtItsTimes) {
  TemporaryFolder folder;
  constexpr int height = 37, width = 53;
  const std::vector<double> times = {0, 0.04, 0.1, 2.5};
  std::mt19937 random(4);
  std::vector<std::vector<std::uint8_t>> labels(times.size());
  LabelVideoWriter writer(folder / "masks.mkv", height, width);
  for (std::size_t i = 0; i < times.size(); ++i) {
    // Every value of a byte.
    for (int p = 0; p < height * width; ++p)
      labels[i].push_back(static_cast<std::uint8_t>(p < 256 ? p : random()));
    writer.write(labels[i], times[i]);
  }
  EXPECT_NE(folder.names(), std::vector<std::string>{"masks.mkv"});
  writer.finish();
  writer.finish();
  EXPECT_EQ(folder.names(), std::vector<std::string>{"masks.mkv"});

  auto source = open_file(folder / "masks.mkv");
  ASSERT_EQ(source->frame_count(), 4);
  for (int i : {3, 0, 2, 1}) {
    const Frame frame = source->read(i);
    EXPECT_NEAR(frame.pts_s, times[i], 5e-4);
    ASSERT_EQ(frame.image.height, height);
    ASSERT_EQ(frame.image.width, width);
    for (int p = 0; p < height * width; ++p)
      for (int c = 0; c < 3; ++c)
        ASSERT_EQ(frame.image.rgb[3 * p + c], labels[i][p]) << i << ' ' << p;
  }
}

TEST(LabelVideo, IsExactForPicturesOfAnyShape) {
  TemporaryFolder folder;
  for (const auto& [height, width] : {std::pair{1, 1},
                                      {2, 2},
                                      {1, 16},
                                      {16, 1},
                                      {1, 900},
                                      {900, 1},
                                      {3, 5},
                                      {15, 400},
                                      {16, 400},
                                      {400, 16},
                                      {17, 17}}) {
    std::vector<std::uint8_t> labels;
    for (int p = 0; p < height * width; ++p) labels.push_back(static_cast<std::uint8_t>(7 + 3 * p));
    LabelVideoWriter writer(folder / "masks.mkv", height, width);
    for (double pts_s : {0., 0.1}) writer.write(labels, pts_s);
    writer.finish();
    const Image read = open_file(folder / "masks.mkv")->read(1).image;
    ASSERT_EQ(read.rgb.size(), 3 * labels.size());
    for (std::size_t p = 0; p < labels.size(); ++p)
      ASSERT_EQ(read.rgb[3 * p], labels[p]) << width << "x" << height << " at " << p;
  }
}

TEST(LabelVideo, LeavesNothingBehindWithoutFinish) {
  TemporaryFolder folder;
  {
    LabelVideoWriter writer(folder / "masks.mkv", 2, 2);
    writer.write(std::vector<std::uint8_t>(4), 0);
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(LabelVideo, KeepsEveryFrameOfRepeatedTimes) {
  TemporaryFolder folder;
  LabelVideoWriter writer(folder / "masks.mkv", 2, 2);
  for (std::uint8_t i = 0; i < 4; ++i) writer.write(std::vector<std::uint8_t>(4, i), 0.2);
  writer.finish();
  auto source = open_file(folder / "masks.mkv");
  ASSERT_EQ(source->frame_count(), 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(source->pts_s(i), 0.2 + 0.001 * i, 1e-6);
    EXPECT_EQ(source->read(i).image.rgb[0], i);
  }
}

TEST(LabelVideo, SaysWhenTheDiskIsFull) {
  TemporaryFolder folder;
  {
    test::SmallDisk disk(100000);
    expect_error(ErrorCode::kIo, "masks.mkv: writing failed: File too large", [&] {
      LabelVideoWriter writer(folder / "masks.mkv", 256, 256);
      std::mt19937 random(1);
      std::vector<std::uint8_t> noise(256 * 256);
      for (int i = 0; i < 20; ++i) {
        for (auto& value : noise) value = static_cast<std::uint8_t>(random());
        writer.write(noise, i * 0.04);
      }
      writer.finish();
    });
  }
  EXPECT_TRUE(folder.names().empty());
}

TEST(LabelVideo, NamesWhatIsWrong) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kInvalidArgument, ".mkv, got \".mp4\"",
               [&] { LabelVideoWriter(folder / "masks.mp4", 2, 2); });
  expect_error(ErrorCode::kInvalidArgument, "0x2",
               [&] { LabelVideoWriter(folder / "masks.mkv", 2, 0); });
  expect_error(ErrorCode::kNotFound, "nowhere",
               [&] { LabelVideoWriter(folder / "nowhere/masks.mkv", 2, 2); });
  LabelVideoWriter writer(folder / "masks.mkv", 2, 2);
  const std::vector<std::uint8_t> labels(4);
  expect_error(ErrorCode::kFailedState, "no frame", [&] { writer.finish(); });
  expect_error(ErrorCode::kInvalidArgument, "labels of 3 bytes",
               [&] { writer.write(std::vector<std::uint8_t>(3), 0); });
  writer.write(labels, 1);
  expect_error(ErrorCode::kInvalidArgument, "never go back", [&] { writer.write(labels, 0.5); });
  writer.finish();
  expect_error(ErrorCode::kFailedState, "is finished", [&] { writer.write(labels, 2); });
}

}  // namespace
}  // namespace vostrack::video
