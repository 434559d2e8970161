/// Streams over TCP, UDP, RTSP and SRT on the loopback interface: served, stalled, cut and resumed.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "video/ffmpeg_tools.hpp"
#include "video/live_source.hpp"
#include "video/rtsp_server.hpp"
#include "video/stream_server.hpp"

extern char** environ;

namespace vostrack::video {
namespace {

using namespace std::chrono_literals;
using test::expect_error;
using test::Greeting;
using test::StreamServer;
using test::TemporaryFolder;
using Client = StreamServer::Client;

/// As many as fit a packet of a network.
constexpr std::size_t kChunk = 7 * 188;
/// Far below the 30 s that a peer stalls, and far above the hiccups of a busy machine.
constexpr double kPrompt_s = 12;

/// A transport stream of two seconds, 64x48 at 25 frames a second, a key frame every fifth.
std::string transport_stream() {
  static const std::string bytes = [] {
    const TemporaryFolder folder;
    const std::string path = folder / "clip.ts";
    const bool made = test::run_ffmpeg(
        "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -c:v mpeg2video -g 5 -bf 0 -f mpegts '" + path +
        "'");
    return made ? test::read_bytes(path) : std::string();
  }();
  return bytes;
}

/// The stream's pieces in somewhat less than a second; false when `send` is.
bool send_stream(const std::function<bool(const std::string&)>& send) {
  const std::string bytes = transport_stream();
  for (std::size_t at = 0; at < bytes.size(); at += kChunk) {
    if (!send(bytes.substr(at, kChunk))) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

LiveOptions quick() {
  LiveOptions options;
  options.settings = {{"probesize", "20000"}, {"analyzeduration", "100000"}};
  options.open_timeout_s = 10;
  options.read_timeout_s = 1;
  options.first_pause_s = 0.02;
  options.max_pause_s = 0.1;
  options.max_attempts = 5;
  options.queue_frames = 512;
  options.policy = LivePolicy::kBlock;
  return options;
}

/// Reads until there were so many reconnections and then some frames, times always advancing.
void read_over_reconnections(LiveSource& source, int reconnects) {
  EXPECT_EQ(source.height(), 48);
  EXPECT_EQ(source.width(), 64);
  double last = -1;
  int after = 0;
  while (after < 10) {
    const auto live = source.next();
    ASSERT_TRUE(live);
    ASSERT_GT(live->frame.pts_s, last);
    last = live->frame.pts_s;
    if (source.statistics().reconnects >= reconnects) ++after;
  }
}

class Network : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::have_ffmpeg_tools()) GTEST_SKIP() << "ffmpeg is not installed";
    ASSERT_FALSE(transport_stream().empty());
  }
};

TEST_F(Network, TcpConnectsAnewAfterAStallAndACut) {
  StreamServer server(
      [](Client& client, int connection) {
        send_stream([&](const std::string& bytes) { return client.send(bytes); });
        if (connection != 1) client.stall(30);  // the second is cut
      },
      Greeting::kNone);
  LiveSource source(server.address("tcp"), quick());
  EXPECT_LT(test::seconds_of([&] { read_over_reconnections(source, 2); }), 3 * kPrompt_s);
  EXPECT_GE(server.connections(), 3);
}

TEST_F(Network, RtspConnectsAnewAfterAStallAndACut) {
  StreamServer server(
      [](Client& client, int connection) {
        if (!test::begin_rtsp(client)) return;
        std::uint16_t number = 0;
        send_stream([&](const std::string& bytes) {
          return client.send(test::rtp_packet(bytes, number++));
        });
        if (connection != 1) client.stall(30);
      },
      Greeting::kNone);
  LiveOptions options = quick();
  options.settings["rtsp_transport"] = "tcp";
  LiveSource source(server.address("rtsp"), options);
  EXPECT_LT(test::seconds_of([&] { read_over_reconnections(source, 2); }), 3 * kPrompt_s);
  EXPECT_GE(server.connections(), 3);
}

TEST_F(Network, RtspKeepsTheTimeLimitWhereverThePeerStalls) {
  for (const bool plays : {false, true}) {
    StreamServer server(
        [&](Client& client, int) {
          if (plays) test::begin_rtsp(client);
          client.stall(30);
        },
        Greeting::kNone);
    LiveOptions options = quick();
    options.open_timeout_s = 0.4;
    options.settings["rtsp_transport"] = "tcp";
    EXPECT_LT(test::seconds_of([&] {
                expect_error(ErrorCode::kIo, "says nothing for too long",
                             [&] { LiveSource(server.address("rtsp"), options); });
              }),
              kPrompt_s)
        << plays;
  }
}

/// Sends datagrams to a port of the loopback interface that nobody else used before.
class UdpSender {
 public:
  UdpSender() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const int probe = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    target_.sin_family = AF_INET;
    target_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof target_;
    EXPECT_EQ(::bind(probe, reinterpret_cast<sockaddr*>(&target_), size), 0);
    EXPECT_EQ(::getsockname(probe, reinterpret_cast<sockaddr*>(&target_), &size), 0);
    ::close(probe);
  }
  ~UdpSender() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    ::close(socket_);
  }
  int port() const { return ntohs(target_.sin_port); }

  /// Sends over and over, but for pauses, on a thread of its own.
  void start() {
    thread_ = std::thread([this] {
      while (!stop_)
        send_stream([this](const std::string& bytes) {
          while (paused && !stop_) std::this_thread::sleep_for(5ms);
          ::sendto(socket_, bytes.data(), bytes.size(), 0,
                   reinterpret_cast<const sockaddr*>(&target_), sizeof target_);
          return !stop_;
        });
    });
  }
  std::atomic<bool> paused{false};

 private:
  int socket_;
  sockaddr_in target_{};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

TEST_F(Network, UdpGoesOnAfterASilence) {
  UdpSender sender;
  sender.start();
  LiveOptions options = quick();
  options.max_attempts = 100;
  options.open_timeout_s = 3;
  LiveSource source("udp://127.0.0.1:" + std::to_string(sender.port()), options);
  EXPECT_LT(test::seconds_of([&] {
              while (source.statistics().decoded < 10) ASSERT_TRUE(source.next());
              sender.paused = true;
              std::this_thread::sleep_for(1500ms);
              sender.paused = false;
              read_over_reconnections(source, 1);
            }),
            3 * kPrompt_s);
}

TEST_F(Network, UdpKeepsTheTimeLimitAndEndsPromptlyInSilence) {
  UdpSender silent;
  LiveOptions options = quick();
  options.open_timeout_s = 0.4;
  const std::string address = "udp://127.0.0.1:" + std::to_string(silent.port());
  EXPECT_LT(test::seconds_of([&] {
              expect_error(ErrorCode::kIo, "says nothing for too long",
                           [&] { LiveSource(address, options); });
            }),
            kPrompt_s);
  silent.start();
  options.open_timeout_s = 10;
  options.read_timeout_s = 30;
  auto source = std::make_unique<LiveSource>(address, options);
  silent.paused = true;
  std::this_thread::sleep_for(50ms);
  EXPECT_LT(test::seconds_of([&] { source.reset(); }), kPrompt_s);
}

/// An `ffmpeg` that serves the stream over SRT until it is killed.
class SrtServer {
 public:
  SrtServer(const std::string& clip, int port) {
    const std::string address = "srt://127.0.0.1:" + std::to_string(port) + "?mode=listener";
    std::vector<std::string> words = {"ffmpeg",       "-v", "quiet",  "-nostdin", "-re",
                                      "-stream_loop", "-1", "-i",     clip,       "-c",
                                      "copy",         "-f", "mpegts", address};
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    EXPECT_EQ(::posix_spawnp(&process_, "ffmpeg", nullptr, nullptr, arguments.data(), environ), 0);
  }
  ~SrtServer() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_ = -1;
};

TEST_F(Network, SrtConnectsAnewAfterACut) {
  if (test::output_of("ffmpeg -v quiet -protocols").find("srt\n") == std::string::npos)
    GTEST_SKIP() << "this FFmpeg has no SRT";
  const TemporaryFolder folder;
  test::write_bytes(folder / "clip.ts", transport_stream());
  const int port = UdpSender().port();
  LiveOptions options = quick();
  options.max_attempts = 200;
  options.open_timeout_s = 5;
  const std::string address = "srt://127.0.0.1:" + std::to_string(port);
  expect_error(ErrorCode::kIo, address, [&] {
    LiveOptions hasty = options;
    hasty.open_timeout_s = 0.5;
    LiveSource(address, hasty);
  });
  auto server = std::make_unique<SrtServer>(folder / "clip.ts", port);
  std::unique_ptr<LiveSource> source;
  for (int i = 0; i < 20 && !source; ++i) {
    try {
      source = std::make_unique<LiveSource>(address, options);
    } catch (const Error&) {
      std::this_thread::sleep_for(100ms);  // not listening yet
    }
  }
  ASSERT_TRUE(source);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(source->next());
  server.reset();
  server = std::make_unique<SrtServer>(folder / "clip.ts", port);
  EXPECT_LT(test::seconds_of([&] { read_over_reconnections(*source, 1); }), 3 * kPrompt_s);
  EXPECT_LT(test::seconds_of([&] { source.reset(); }), kPrompt_s);
}

}  // namespace
}  // namespace vostrack::video
