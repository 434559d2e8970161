/// Live video through the installed interface: JPEG pictures over the loopback interface.
#include "vostrack/live.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <opencv2/imgcodecs.hpp>
#include <utility>
#include <vector>

#include "support/errors.hpp"
#include "video/stream_server.hpp"

namespace vostrack {
namespace {

using test::expect_error;
using test::StreamServer;
using Client = StreamServer::Client;

std::string jpeg(int brightness) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(brightness)), bytes);
  return {bytes.begin(), bytes.end()};
}

void serve(Client& client, int count) {
  client.send("HTTP/1.0 200 OK\r\nContent-Type: video/x-motion-jpeg\r\n\r\n");
  for (int i = 0; i < count && client.send(jpeg(8 * i)); ++i) client.stall(0.01);
}

LiveOptions quick() {
  LiveOptions options;
  options.format = "mjpeg";
  options.settings = {{"probesize", "4096"}, {"analyzeduration", "40000"}};
  options.queue_frames = 64;
  options.policy = LivePolicy::kBlock;
  options.reconnect_at_end = false;
  options.max_attempts = 0;
  return options;
}

TEST(LiveVideo, GivesFramesWithTheirLatencyAndCounts) {
  StreamServer server([](Client& client, int) {
    serve(client, 20);
    client.stall(30);
  });
  LiveVideo video(server.address(), quick());
  EXPECT_EQ(video.height(), 48);
  EXPECT_EQ(video.width(), 64);
  EXPECT_EQ(video.decoder(), "mjpeg");
  double last = -1;
  for (int i = 0; i < 15; ++i) {
    const auto live = video.next();
    ASSERT_TRUE(live);
    EXPECT_EQ(live->frame.index, i);
    EXPECT_NEAR(live->frame.image.rgb[0], 8 * i, 3);
    EXPECT_GT(live->frame.pts_s, last);
    EXPECT_GE(live->latency_s(), 0);
    EXPECT_LT(live->latency_s(), 20);
    last = live->frame.pts_s;
  }
  EXPECT_GE(video.statistics().decoded, 15);
  EXPECT_EQ(video.statistics().dropped, 0);
  EXPECT_EQ(video.statistics().reconnects, 0);
}

TEST(LiveVideo, CancelEndsAWaitingReader) {
  StreamServer server([](Client& client, int) {
    serve(client, 8);
    client.stall(30);
  });
  LiveVideo first(server.address(), quick());
  LiveVideo video = std::move(first);
  auto reader = std::async(std::launch::async, [&] {
    while (video.next()) {
    }
  });
  EXPECT_EQ(reader.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  video.cancel();
  EXPECT_EQ(reader.wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST(LiveVideo, NamesWhatIsWrong) {
  expect_error(ErrorCode::kIo, "no connection", [] { LiveVideo("file:/etc/hostname"); });
  LiveOptions options;
  options.hardware = "gpu";
  expect_error(ErrorCode::kInvalidArgument, "hardware decoding: \"gpu\"",
               [&] { LiveVideo("http://127.0.0.1:9/", options); });
  options = {};
  options.camera_height = 480;
  expect_error(ErrorCode::kInvalidArgument, "camera.height is set without camera.width",
               [&] { LiveVideo("/dev/video0", options); });
  options = {};
  options.policy = static_cast<LivePolicy>(7);
  expect_error(ErrorCode::kInvalidArgument, "policy: 7",
               [&] { LiveVideo("http://127.0.0.1:9/", options); });
  options = {};
  options.queue_frames = 0;
  expect_error(ErrorCode::kInvalidArgument, "queue of 0 frames",
               [&] { LiveVideo("http://127.0.0.1:9/", options); });
}

}  // namespace
}  // namespace vostrack
