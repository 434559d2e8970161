#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

#include "support/temporary_folder.hpp"
#include "video/file_source.hpp"
#include "video/raw_writer.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;
using test::TemporaryFolder;

/// A pipe whose ends close with it.
struct Pipe {
  Pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
  ~Pipe() {
    close_reader();
    close_writer();
  }
  void close_reader() { close(ends[0]); }
  void close_writer() { close(ends[1]); }
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
  std::array<int, 2> ends{-1, -1};
};

/// Reads slowly and by odd numbers of bytes until the end.
std::string drain(int file) {
  std::string all;
  std::array<char, 3001> bytes;
  for (ssize_t got; (got = ::read(file, bytes.data(), bytes.size())) > 0;) {
    all.append(bytes.data(), static_cast<std::size_t>(got));
    if (all.size() < 100000) ::usleep(200);
  }
  return all;
}

TEST(RawWriter, SendsWholeFramesToASlowReader) {
  for (const bool waits : {true, false}) {
    Pipe pipe;
    // Writes into a pipe that does not wait are short, or refused for now.
    if (!waits) ::fcntl(pipe.ends[1], F_SETFL, O_NONBLOCK);
    std::string got;
    std::thread reader([&] { got = drain(pipe.ends[0]); });
    std::string want;
    RawWriter writer(pipe.ends[1], "pipe", PipeFormat::kRgb24, 90, 120);
    for (int i = 0; i < 20; ++i) {
      const Image image = test::moving_square(90, 120, i);
      writer.write(image);
      want.append(image.rgb.begin(), image.rgb.end());
    }
    pipe.close_writer();
    reader.join();
    EXPECT_EQ(writer.count(), 20);
    EXPECT_TRUE(got == want) << got.size() << " bytes, want " << want.size();
  }
}

TEST(RawWriter, SendsMasksAsBytes) {
  Pipe pipe;
  RawWriter writer(pipe.ends[1], "pipe", PipeFormat::kGray8, 2, 3);
  writer.write(std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255});
  pipe.close_writer();
  EXPECT_EQ(drain(pipe.ends[0]), std::string("\0\1\2\3\4\xff", 6));
}

TEST(RawWriter, WritesY4mThatOthersRead) {
  TemporaryFolder folder;
  for (const auto& [height, width] : {std::pair{48, 64}, {35, 51}}) {
    const std::string path = folder / "a.y4m";
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    RawWriter writer(file, path, PipeFormat::kY4m, height, width, 12.5);
    for (int i = 0; i < 3; ++i) writer.write(test::plain(height, width, 200, 60, 30));
    ::close(file);
    auto source = open_file(path);
    ASSERT_EQ(source->frame_count(), 3);
    EXPECT_NEAR(source->pts_s(2), 0.16, 1e-6);
    EXPECT_LT(test::difference(source->read(2).image, test::plain(height, width, 200, 60, 30)), 4)
        << width;
  }
}

std::atomic<int> pipe_signals{0};

TEST(RawWriter, SaysWhenTheReaderIsGoneAndSurvives) {
  struct sigaction counting{}, before{};
  counting.sa_handler = [](int) { ++pipe_signals; };
  ::sigaction(SIGPIPE, &counting, &before);
  Pipe pipe;
  RawWriter writer(pipe.ends[1], "standard output", PipeFormat::kRgb24, 4, 4);
  writer.write(test::plain(4, 4, 1, 2, 3));
  pipe.close_reader();
  expect_error(ErrorCode::kIo, "standard output: its reader closed it after 1 frames",
               [&] { writer.write(test::plain(4, 4, 1, 2, 3)); });
  expect_error(ErrorCode::kFailedState, "nothing can follow",
               [&] { writer.write(test::plain(4, 4, 1, 2, 3)); });
  EXPECT_EQ(pipe_signals, 0);
  // The program's own signals still come.
  ::raise(SIGPIPE);
  EXPECT_EQ(pipe_signals, 1);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST(RawWriter, SaysWhenTheDiskIsFull) {
  const int full = ::open("/dev/full", O_WRONLY);
  if (full < 0) GTEST_SKIP() << "no /dev/full here";
  RawWriter writer(full, "/dev/full", PipeFormat::kRgb24, 4, 4);
  expect_error(ErrorCode::kIo, "/dev/full: writing failed after 0 frames: No space left on device",
               [&] { writer.write(test::plain(4, 4, 1, 2, 3)); });
  ::close(full);
}

TEST(RawWriter, RefusesWhatMakesNoSense) {
  expect_error(ErrorCode::kInvalidArgument, "out: frames of 4x0",
               [] { RawWriter(1, "out", PipeFormat::kRgb24, 0, 4); });
  expect_error(ErrorCode::kInvalidArgument, "20000x4",
               [] { RawWriter(1, "out", PipeFormat::kRgb24, 4, 20000); });
  expect_error(ErrorCode::kInvalidArgument, "0 frames a second",
               [] { RawWriter(1, "out", PipeFormat::kY4m, 4, 4, 0); });
  RawWriter colour(-1, "out", PipeFormat::kRgb24, 4, 4), grey(-1, "out", PipeFormat::kGray8, 4, 4);
  expect_error(ErrorCode::kInvalidArgument, "want one in colour",
               [&] { colour.write(std::vector<std::uint8_t>(16)); });
  expect_error(ErrorCode::kInvalidArgument, "want one byte a pixel",
               [&] { grey.write(test::plain(4, 4, 0, 0, 0)); });
  expect_error(ErrorCode::kInvalidArgument, "15 bytes",
               [&] { grey.write(std::vector<std::uint8_t>(15)); });
  expect_error(ErrorCode::kInvalidArgument, "want 4x4",
               [&] { colour.write(test::plain(4, 5, 0, 0, 0)); });
  expect_error(ErrorCode::kIo, "Bad file descriptor",
               [&] { colour.write(test::plain(4, 4, 0, 0, 0)); });
}

}  // namespace
}  // namespace vostrack::video
