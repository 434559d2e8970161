/// A stream of JPEG pictures over the loopback interface: served, stalled, cut and resumed.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <future>
#include <memory>
#include <opencv2/imgcodecs.hpp>
#include <vector>

#include "support/errors.hpp"
#include "video/live_source.hpp"
#include "video/stream_server.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::StreamServer;
using Client = StreamServer::Client;

constexpr int kBrightnessStep = 8;
const std::string kHeader = "HTTP/1.0 200 OK\r\nContent-Type: video/x-motion-jpeg\r\n\r\n";

/// A grey picture whose brightness tells its number, up to 31.
std::string jpeg(int number) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(kBrightnessStep * number)), bytes);
  return {bytes.begin(), bytes.end()};
}

int number_of(const LiveFrame& live) {
  return static_cast<int>(std::lround(live.frame.image.rgb[0] / double{kBrightnessStep}));
}

/// Sends pictures at about 100 a second; false when the client has gone.
bool send_pictures(Client& client, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    if (!client.send(jpeg(i))) return false;
    client.stall(0.01);
  }
  return true;
}

LiveOptions quick() {
  LiveOptions options;
  options.format = "mjpeg";
  options.settings = {{"probesize", "4096"}, {"analyzeduration", "40000"}};
  options.open_timeout_s = 3;
  options.read_timeout_s = 2;
  options.first_pause_s = 0.02;
  options.max_pause_s = 0.1;
  options.max_attempts = 3;
  options.queue_frames = 64;
  options.policy = LivePolicy::kBlock;
  return options;
}

/// Far below the 30 s that a peer stalls, and far above the hiccups of a busy machine.
constexpr double kPrompt_s = 8;

TEST(LiveSource, GivesEveryFrameInOrderUntilTheEnd) {
  // Only a stated length tells an end from a cut.
  std::size_t length = 0;
  for (int i = 0; i < 30; ++i) length += jpeg(i).size();
  StreamServer server([&](Client& client, int) {
    client.send("HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n");
    send_pictures(client, 0, 30);
  });
  LiveOptions options = quick();
  options.reconnect_at_end = false;
  LiveSource source(server.address(), options);
  EXPECT_EQ(source.height(), 48);
  EXPECT_EQ(source.width(), 64);
  double last = -1;
  int count = 0;
  while (const auto live = source.next()) {
    ASSERT_EQ(number_of(*live), count);
    EXPECT_EQ(live->frame.index, count);
    EXPECT_GT(live->frame.pts_s, last);
    EXPECT_GE(live->latency_s(), 0);
    EXPECT_LT(live->latency_s(), 5);
    last = live->frame.pts_s;
    ++count;
  }
  EXPECT_EQ(count, 30);
  EXPECT_EQ(source.statistics().decoded, 30);
  EXPECT_EQ(source.statistics().dropped, 0);
  EXPECT_EQ(source.statistics().reconnects, 0);
}

TEST(LiveSource, ConnectsAnewAfterAStallAndAfterACut) {
  StreamServer server([](Client& client, int connection) {
    client.send(kHeader);
    send_pictures(client, 10 * connection, 10);
    if (connection == 0) client.stall(30);                      // stalls, the client must leave
    if (connection == 1) client.send(jpeg(30).substr(0, 200));  // is cut within a picture
    if (connection == 2) client.stall(30);
  });
  LiveSource source(server.address(), quick());
  std::vector<int> numbers;
  double last = -1;
  const double took = test::seconds_of([&] {
    while (numbers.empty() || numbers.back() < 28) {
      const auto live = source.next();
      ASSERT_TRUE(live);
      EXPECT_GT(live->frame.pts_s, last);
      last = live->frame.pts_s;
      numbers.push_back(number_of(*live));
    }
  });
  EXPECT_LT(took, 3 * kPrompt_s);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  for (int wanted : {0, 8, 10, 18, 20, 28})
    EXPECT_NE(std::find(numbers.begin(), numbers.end(), wanted), numbers.end()) << wanted;
  EXPECT_EQ(source.statistics().reconnects, 2);
  EXPECT_EQ(server.connections(), 3);
}

TEST(LiveSource, GivesUpAfterTheStatedNumberOfAttempts) {
  auto server = std::make_unique<StreamServer>([](Client& client, int) {
    client.send(kHeader);
    send_pictures(client, 0, 10);
  });
  LiveSource source(server->address(), quick());
  std::thread killer([&] { server->stop(); });
  killer.join();
  expect_error(ErrorCode::kIo, "3 attempts to connect again failed", [&] {
    while (source.next()) {
    }
  });
}

TEST(LiveSource, KeepsTheTimeLimitWhenThePeerSaysNothing) {
  StreamServer silent([](Client& client, int) { client.stall(30); });
  LiveOptions options = quick();
  options.open_timeout_s = 0.3;
  const double took = test::seconds_of([&] {
    expect_error(ErrorCode::kIo, "says nothing for too long",
                 [&] { LiveSource(silent.address(), options); });
  });
  EXPECT_GT(took, 0.25);
  EXPECT_LT(took, kPrompt_s);
  StreamServer header_only([](Client& client, int) {
    client.send(kHeader);
    client.stall(30);
  });
  EXPECT_LT(test::seconds_of([&] {
              expect_error(ErrorCode::kIo, "127.0.0.1",
                           [&] { LiveSource(header_only.address(), options); });
            }),
            kPrompt_s);
}

TEST(LiveSource, NamesAnAddressWithNobodyThereOrThatIsNone) {
  StreamServer server([](Client&, int) {});
  const std::string address = server.address();
  server.stop();
  expect_error(ErrorCode::kIo, address + ": no connection", [&] { LiveSource(address, quick()); });
  expect_error(ErrorCode::kIo, "no connection", [] { LiveSource("file:/etc/hostname", quick()); });
  LiveOptions options = quick();
  options.format = "nonsense";
  expect_error(ErrorCode::kUnsupported, "nonsense", [&] { LiveSource(address, options); });
  options = quick();
  options.read_timeout_s = 0;
  expect_error(ErrorCode::kInvalidArgument, "read_timeout_s: 0",
               [&] { LiveSource(address, options); });
}

TEST(LiveSource, EndsPromptlyWhileThePeerStalls) {
  StreamServer server([](Client& client, int) {
    client.send(kHeader);
    send_pictures(client, 0, 10);
    client.stall(30);
  });
  LiveOptions options = quick();
  options.read_timeout_s = 30;
  auto source = std::make_unique<LiveSource>(server.address(), options);
  auto waiting = std::async(std::launch::async, [&] {
    while (source->next()) {
    }
  });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  EXPECT_LT(test::seconds_of([&] {
              source->cancel();
              waiting.get();
              source.reset();
            }),
            kPrompt_s);
}

TEST(LiveSource, EndsPromptlyAtAnyMoment) {
  StreamServer server([](Client& client, int) {
    client.send(kHeader);
    send_pictures(client, 0, 20);
  });
  for (int i = 0; i < 12; ++i) {
    LiveOptions options = quick();
    options.queue_frames = 1;  // the worker waits for room, too
    auto source = std::make_unique<LiveSource>(server.address(), options);
    std::this_thread::sleep_for(std::chrono::milliseconds(25 * i));
    EXPECT_LT(test::seconds_of([&] { source.reset(); }), kPrompt_s) << i;
  }
}

TEST(LiveSource, DropsByItsPolicyWhenTheReaderIsSlow) {
  StreamServer server([](Client& client, int) {
    client.send(kHeader);
    send_pictures(client, 0, 30);
    client.stall(30);
  });
  LiveOptions options = quick();
  options.read_timeout_s = 20;
  options.policy = LivePolicy::kLatestOnly;
  LiveSource source(server.address(), options);
  for (int i = 0; i < 500 && source.statistics().decoded < 29; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto live = source.next();
  ASSERT_TRUE(live);
  EXPECT_GE(number_of(*live), 28);
  EXPECT_EQ(live->frame.index, number_of(*live));
  EXPECT_EQ(source.statistics().dropped, live->frame.index);
}

}  // namespace
}  // namespace vostrack::video
