/// Cameras: no machine that tests has one, so libavdevice's own picture generator stands in, which
/// is opened and read by the same code.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "video/live_source.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

LiveOptions generator() {
  LiveOptions options;
  options.format = "lavfi";
  options.reconnect_at_end = false;
  options.queue_frames = 64;
  options.policy = LivePolicy::kBlock;
  options.first_pause_s = 0.01;
  return options;
}

class Camera : public testing::Test {
 protected:
  void SetUp() override {
    try {
      find_input("test", "lavfi");
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
      GTEST_SKIP() << error.what();
    }
  }
};

TEST_F(Camera, GivesFramesWithTheirTimes) {
  LiveSource source("testsrc2=size=96x64:rate=25:duration=0.8", generator());
  EXPECT_EQ(source.height(), 64);
  EXPECT_EQ(source.width(), 96);
  std::int64_t count = 0;
  while (const auto live = source.next()) {
    EXPECT_EQ(live->frame.index, count);
    EXPECT_NEAR(live->frame.pts_s, 0.04 * static_cast<double>(count), 1e-6);
    EXPECT_GE(live->latency_s(), 0);
    ++count;
  }
  EXPECT_EQ(count, 20);
  EXPECT_EQ(source.statistics().decoded, 20);
}

TEST_F(Camera, ConnectsAnewWhereItEnds) {
  LiveOptions options = generator();
  options.reconnect_at_end = true;
  LiveSource source("testsrc2=size=32x32:rate=25:duration=0.2", options);
  double last = -1;
  for (int i = 0; i < 22; ++i) {
    const auto live = source.next();
    ASSERT_TRUE(live);
    EXPECT_EQ(live->frame.index, i);
    EXPECT_GT(live->frame.pts_s, last);
    last = live->frame.pts_s;
  }
  EXPECT_GE(source.statistics().reconnects, 4);
}

TEST_F(Camera, DropsByThePolicy) {
  LiveOptions options = generator();
  options.policy = LivePolicy::kLatestOnly;
  LiveSource source("testsrc2=size=32x32:rate=25:duration=4", options);
  while (source.statistics().decoded < 100)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(source.next()->frame.index, 99);
  EXPECT_FALSE(source.next());
  EXPECT_EQ(source.statistics().dropped, 99);
}

TEST_F(Camera, CancelEndsAWaitingReader) {
  LiveSource source("testsrc2=size=32x32:rate=10,realtime", generator());
  auto reader = std::async(std::launch::async, [&] {
    while (source.next()) {
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  source.cancel();
  EXPECT_EQ(reader.wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST_F(Camera, RefusesASettingThatTheDeviceDoesNotKnow) {
  LiveOptions options = generator();
  options.camera = {.height = 480, .width = 640};
  expect_error(ErrorCode::kInvalidArgument,
               "testsrc2: this device has no setting video_size=640x480",
               [&] { LiveSource("testsrc2", options); });
}

TEST(CameraOptions, AsksForSizeRateAndPixelFormatInTheDevicesWords) {
  const CameraOptions options{.height = 720, .width = 1280, .fps = 29.97, .pixel_format = "mjpeg"};
  EXPECT_EQ(camera_settings(options, "v4l2"),
            (std::map<std::string, std::string>{
                {"video_size", "1280x720"}, {"framerate", "29.97"}, {"input_format", "mjpeg"}}));
  EXPECT_EQ(camera_settings(options, "avfoundation").at("pixel_format"), "mjpeg");
  EXPECT_TRUE(camera_settings({}, "v4l2").empty());
}

TEST(CameraOptions, RefusesAnotherSizeThanWasAskedFor) {
  AVCodecParameters delivers{};
  delivers.height = 480;
  delivers.width = 640;
  const CameraOptions options{.height = 720, .width = 1280};
  expect_error(ErrorCode::kUnsupported, "/dev/video0: the camera offers 640x480, want 1280x720",
               [&] { check_camera("/dev/video0", options, nullptr, delivers); });
}

TEST_F(Camera, NamesADeviceThatIsNotThereOrIsNoCamera) {
  TemporaryFolder folder;
  expect_error(ErrorCode::kNotFound, "/dev/video-none: no such camera",
               [] { LiveSource("/dev/video-none"); });
  expect_error(ErrorCode::kIo, "/dev/null: is no camera", [] { LiveSource("/dev/null"); });
  test::write_bytes(folder / "clip.mp4", "no camera");
  expect_error(ErrorCode::kIo, "clip.mp4: is no camera", [&] { LiveSource(folder / "clip.mp4"); });
}

TEST_F(Camera, NamesADeviceThatIsNotOursToUse) {
  TemporaryFolder folder;
  test::write_bytes(folder / "video0", "");
  ::chmod((folder / "video0").c_str(), 0);
  const bool was_root = ::geteuid() == 0;  // whom no permission stops
  ASSERT_EQ(was_root ? ::seteuid(65534) : 0, 0);
  expect_error(ErrorCode::kIo, "video0: no permission to use it",
               [&] { LiveSource(folder / "video0"); });
  ASSERT_EQ(was_root ? ::seteuid(0) : 0, 0);
}

TEST(CameraOptions, RefusesOptionsThatMakeNoSense) {
  LiveOptions options;
  options.camera.height = 480;
  expect_error(ErrorCode::kInvalidArgument, "camera.height is set without camera.width",
               [&] { LiveSource("/dev/video0", options); });
  options.camera = {.height = 480, .width = 0};
  expect_error(ErrorCode::kInvalidArgument, "camera.width: 0 pixels",
               [&] { LiveSource("/dev/video0", options); });
  options.camera = {.fps = -1};
  expect_error(ErrorCode::kInvalidArgument, "camera.fps: -1",
               [&] { LiveSource("/dev/video0", options); });
  options.camera = {.fps = 30};
  expect_error(ErrorCode::kInvalidArgument, "is no camera, want no camera options",
               [&] { LiveSource("http://127.0.0.1:9/", options); });
}

}  // namespace
}  // namespace vostrack::video
