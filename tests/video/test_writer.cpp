#include <gtest/gtest.h>

#include <filesystem>

#include "support/temporary_folder.hpp"
#include "video/file_source.hpp"
#include "video/small_disk.hpp"
#include "video/test_clips.hpp"
#include "video/writer.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

TEST(VideoWriter, KeepsColoursOfAnOddSizedPicture) {
  TemporaryFolder folder;
  const Image image = test::plain(35, 51, 200, 60, 30);
  VideoWriter writer(folder / "a.mp4", 35, 51);
  for (int i = 0; i < 5; ++i) writer.write(image, i * 0.04);
  writer.finish();
  auto source = open_file(folder / "a.mp4");
  ASSERT_EQ(source->frame_count(), 5);
  EXPECT_EQ(source->height(), 36);
  EXPECT_EQ(source->width(), 52);
  // Eight-bit YCbCr in limited range loses up to three steps; the wrong matrix loses ten and more.
  EXPECT_LT(test::difference(source->read(4).image, test::plain(36, 52, 200, 60, 30)), 3);
}

TEST(VideoWriter, PutsTheIndexInFront) {
  TemporaryFolder folder;
  test::write_clip(folder / "a.mp4", test::steady_times(10, 25));
  const std::string bytes = test::read_bytes(folder / "a.mp4");
  EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
}

TEST(VideoWriter, LeavesNothingBehindWithoutFinish) {
  TemporaryFolder folder;
  test::write_bytes(folder / "a.mp4", "earlier");
  {
    VideoWriter writer(folder / "a.mp4", 48, 64);
    writer.write(test::moving_square(48, 64, 0), 0);
    EXPECT_EQ(folder.names().size(), 2u);
    EXPECT_EQ(test::read_bytes(folder / "a.mp4"), "earlier");
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.mp4"});
  EXPECT_EQ(test::read_bytes(folder / "a.mp4"), "earlier");
}

TEST(VideoWriter, FinishesOnceAndTakesNoMoreFrames) {
  TemporaryFolder folder;
  VideoWriter writer(folder / "a.mp4", 48, 64);
  expect_error(ErrorCode::kFailedState, "no frame", [&] { writer.finish(); });
  writer.write(test::moving_square(48, 64, 0), 0.25);
  writer.finish();
  writer.finish();
  expect_error(ErrorCode::kFailedState, "is finished",
               [&] { writer.write(test::moving_square(48, 64, 0), 1); });
  auto source = open_file(folder / "a.mp4");
  EXPECT_EQ(source->frame_count(), 1);
  EXPECT_NEAR(source->pts_s(0), 0.25, 1e-4);
}

TEST(VideoWriter, KeepsEveryFrameOfRepeatedAndVeryCloseTimes) {
  TemporaryFolder folder;
  const std::vector<double> times = {0.1, 0.1, 0.100001, 0.100002, 0.5, 0.5, 7.25};
  test::write_clip(folder / "a.mp4", times);
  auto source = open_file(folder / "a.mp4");
  ASSERT_EQ(source->frame_count(), 7);
  double last = -1;
  for (int i = 0; i < 7; ++i) {
    EXPECT_NEAR(source->pts_s(i), times[i], 4.0 / 90000) << i;
    EXPECT_GT(source->pts_s(i), last) << i;
    last = source->pts_s(i);
    EXPECT_LT(test::difference(source->read(i).image, test::moving_square(96, 128, i)), 6) << i;
  }
}

TEST(VideoWriter, RefusesWhatMakesNoSense) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kInvalidArgument, "64x0", [&] { VideoWriter(folder / "a.mp4", 0, 64); });
  expect_error(ErrorCode::kInvalidArgument, ".txt", [&] { VideoWriter(folder / "a.txt", 8, 8); });
  expect_error(ErrorCode::kInvalidArgument, "crf: 99",
               [&] { VideoWriter(folder / "a.mp4", 48, 64, {.crf = 99}); });
  expect_error(ErrorCode::kNotFound, "no folder", [&] { VideoWriter(folder / "b/a.mp4", 48, 64); });
  VideoWriter writer(folder / "a.mp4", 48, 64);
  expect_error(ErrorCode::kInvalidArgument, "want 64x48",
               [&] { writer.write(test::moving_square(64, 48, 0), 0); });
  writer.write(test::moving_square(48, 64, 0), 1);
  expect_error(ErrorCode::kInvalidArgument, "never go back",
               [&] { writer.write(test::moving_square(48, 64, 0), 0.9); });
  expect_error(ErrorCode::kInvalidArgument, "0 or later",
               [&] { writer.write(test::moving_square(48, 64, 0), -1); });
}

TEST(VideoWriter, NamesAFolderThatCannotBeWritten) {
  // Nobody, not even root, may create a file there.
  if (!std::filesystem::is_directory("/proc/self")) GTEST_SKIP() << "no /proc here";
  expect_error(ErrorCode::kIo, "/proc/self/a.mp4: cannot be created",
               [&] { VideoWriter("/proc/self/a.mp4", 48, 64); });
}

TEST(VideoWriter, SaysWhenTheDiskIsFull) {
  TemporaryFolder folder;
  {
    test::SmallDisk disk(100000);
    expect_error(ErrorCode::kIo, "a.mp4: writing failed", [&] {
      VideoWriter writer(folder / "a.mp4", 256, 256, {.crf = 0});
      Image noise = test::plain(256, 256, 0, 0, 0);
      for (int i = 0; i < 60; ++i) {
        for (std::size_t k = 0; k < noise.rgb.size(); ++k)
          noise.rgb[k] = static_cast<std::uint8_t>((k * 2654435761u + i * 40503u) >> 13);
        writer.write(noise, i * 0.04);
      }
      writer.finish();
    });
  }
  EXPECT_TRUE(folder.names().empty());
}

}  // namespace
}  // namespace vostrack::video
