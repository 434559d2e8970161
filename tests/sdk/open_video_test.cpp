/// Files and pictures through the installed interface.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "vostrack/video.hpp"

namespace vostrack {
namespace {

using test::expect_error;
using testing::AnyOf;
using testing::HasSubstr;

const std::string kClip = VOSTRACK_SOURCE_DIR "/samples/dog.mp4";

TEST(OpenVideo, TellsWhatDecodesAndWhyNotTheHardwareAskedFor) {
  EXPECT_EQ(decoder_of(*open_video(kClip)), "h264");
  VideoOptions options;
  options.hardware = "cuda";
  options.threads = 2;
  auto source = open_video(kClip, options);
  EXPECT_EQ(source->read(3).index, 3);
  EXPECT_THAT(decoder_of(*source), AnyOf("h264 (cuda)", HasSubstr("h264: no cuda device"),
                                         HasSubstr("h264: cuda does not decode")));
}

TEST(OpenVideo, GivesTheSamePicturesWhateverTheOptions) {
  VideoOptions options;
  options.threads = 1;
  options.read_ahead_frames = 0;
  auto plain = open_video(kClip, options), usual = open_video(kClip);
  for (int i = 0; i < 12; ++i) EXPECT_TRUE(plain->read(i).image.rgb == usual->read(i).image.rgb);
}

TEST(OpenVideo, GivesPicturesTheTimesOfTheStatedRate) {
  test::TemporaryFolder folder;
  for (const char* name : {"2.png", "10.png"})
    cv::imwrite(folder / name, cv::Mat(6, 8, CV_8UC3, cv::Scalar(1, 2, 3)));
  VideoOptions options;
  options.fps = 4;
  auto source = open_video(folder.path().string(), options);
  EXPECT_EQ(source->frame_count(), 2);
  EXPECT_EQ(source->name(1), "10");
  EXPECT_DOUBLE_EQ(source->pts_s(1), 0.25);
  EXPECT_EQ(decoder_of(*source), "");
}

TEST(OpenVideo, NamesTheOptionThatMakesNoSense) {
  const auto open_with = [](auto change) {
    VideoOptions options;
    change(options);
    open_video(kClip, options);
  };
  expect_error(ErrorCode::kInvalidArgument, "\"warp\", want none, auto",
               [&] { open_with([](VideoOptions& o) { o.hardware = "warp"; }); });
  expect_error(ErrorCode::kInvalidArgument, "decode.threads: -1",
               [&] { open_with([](VideoOptions& o) { o.threads = -1; }); });
  expect_error(ErrorCode::kInvalidArgument, "frames to read ahead: 1000",
               [&] { open_with([](VideoOptions& o) { o.read_ahead_frames = 1000; }); });
}

}  // namespace
}  // namespace vostrack
