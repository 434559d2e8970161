#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "video/file_source.hpp"
#include "video/label_video.hpp"

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

TEST(LabelVideo, LeavesNothingBehindWithoutFinish) {
  TemporaryFolder folder;
  {
    LabelVideoWriter writer(folder / "masks.mkv", 2, 2);
    writer.write(std::vector<std::uint8_t>(4), 0);
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
  expect_error(ErrorCode::kInvalidArgument, "times that advance", [&] { writer.write(labels, 1); });
  writer.finish();
  expect_error(ErrorCode::kFailedState, "is finished", [&] { writer.write(labels, 2); });
}

}  // namespace
}  // namespace vostrack::video
