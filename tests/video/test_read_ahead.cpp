#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <random>
#include <thread>

#include "support/temporary_folder.hpp"
#include "video/file_source.hpp"
#include "video/open.hpp"
#include "video/picture_io.hpp"
#include "video/read_ahead.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using namespace std::chrono_literals;
using test::expect_error;
using test::TemporaryFolder;

/// Counts what is read, and that one thread at a time reads.
class Counted final : public FrameSource {
 public:
  struct Seen {
    std::atomic<int> reads{0};
    std::atomic<int> highest{-1};
    std::atomic<int> inside{0};
    std::atomic<bool> shared{false};
    std::atomic<int> bad{-1};
    std::atomic<bool> held{false};
  };
  explicit Counted(Seen& seen) : seen_(seen) {}
  std::int64_t frame_count() const override { return 50; }
  int height() const override { return 1; }
  int width() const override { return 1; }
  double pts_s(std::int64_t frame) const override { return 0.5 * static_cast<double>(frame); }
  std::string name(std::int64_t frame) const override { return std::to_string(frame); }
  Frame read(std::int64_t frame) override {
    if (seen_.inside++ != 0) seen_.shared = true;
    ++seen_.reads;
    seen_.highest = std::max(seen_.highest.load(), static_cast<int>(frame));
    while (seen_.held) std::this_thread::sleep_for(1ms);
    --seen_.inside;
    if (frame >= frame_count()) throw Error(ErrorCode::kOutOfRange, "no such frame");
    if (frame == seen_.bad) throw Error(ErrorCode::kDecode, "this one is damaged");
    return {{1, 1, {static_cast<std::uint8_t>(frame), 0, 0}}, frame, pts_s(frame), name(frame)};
  }
  void recycle(Frame&&) override { seen_.shared = true; }  // may be reading on the other thread

 private:
  Seen& seen_;
};

/// Until a condition holds, or for so long that it never will.
template <class Condition>
bool comes_true(Condition condition) {
  for (int i = 0; i < 5000 && !condition(); ++i) std::this_thread::sleep_for(1ms);
  return condition();
}

TEST(ReadAhead, DecodesTheNextFramesAndNoMore) {
  Counted::Seen seen;
  auto source = read_ahead(std::make_unique<Counted>(seen), 3);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(seen.reads, 0);
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(source->read(i).index, i);
    EXPECT_TRUE(comes_true([&] { return seen.highest == i + 3; })) << i;
  }
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(seen.reads, 43);
  EXPECT_FALSE(seen.shared);
}

TEST(ReadAhead, RunsOnlyWhereFramesFollow) {
  Counted::Seen seen;
  auto source = read_ahead(std::make_unique<Counted>(seen), 3);
  for (int i : {9, 3, 30, 3, 3, 2, 1}) EXPECT_EQ(source->read(i).index, i);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(seen.reads, 7);
  EXPECT_EQ(source->read(2).index, 2);
  EXPECT_TRUE(comes_true([&] { return seen.highest == 30 && seen.reads == 11; }));
  EXPECT_EQ(source->read(5).image.rgb[0], 5);  // a step within what is ready costs nothing anew
  EXPECT_TRUE(comes_true([&] { return seen.reads == 14; }));
  EXPECT_FALSE(seen.shared);
}

/// Counts conversions by the thread that makes them.
class TwoStages final : public TwoStageSource {
 public:
  struct Seen {
    std::thread::id reader = std::this_thread::get_id();
    std::atomic<int> decoded{0};
    std::atomic<int> by_reader{0};
    std::atomic<int> by_worker{0};
    std::atomic<int> recycled{0};
    std::atomic<int> held_before{1000};  ///< decoding waits before this frame
    std::atomic<int> bad{-1};
  };
  explicit TwoStages(Seen& seen) : seen_(seen) {}
  std::int64_t frame_count() const override { return 50; }
  int height() const override { return 1; }
  int width() const override { return 1; }
  double pts_s(std::int64_t frame) const override { return static_cast<double>(frame); }
  std::string name(std::int64_t frame) const override { return std::to_string(frame); }
  void cancel() noexcept override { seen_.held_before = 1000; }
  void recycle(Frame&&) override { ++seen_.recycled; }
  std::optional<DecoderInUse> decoder_in_use() const override { return std::nullopt; }
  std::unique_ptr<DecodedFrame> decode(std::int64_t frame) override {
    while (frame >= seen_.held_before) std::this_thread::sleep_for(1ms);
    ++seen_.decoded;
    return std::make_unique<Decoded>(seen_, frame);
  }

 private:
  struct Decoded final : DecodedFrame {
    Decoded(Seen& given, std::int64_t frame) : seen(given), index(frame) {}
    Frame convert() override {
      ++(std::this_thread::get_id() == seen.reader ? seen.by_reader : seen.by_worker);
      if (index == seen.bad) throw Error(ErrorCode::kDecode, "no such colours");
      return {{1, 1, {static_cast<std::uint8_t>(index), 0, 0}}, index, 0, ""};
    }
    Seen& seen;
    std::int64_t index;
  };
  Seen& seen_;
};

TEST(ReadAhead, ConvertsWhatWaitsWhileTheReaderIsElsewhere) {
  TwoStages::Seen seen;
  seen.bad = 3;
  auto source = read_ahead(std::make_unique<TwoStages>(seen), 3);
  source->read(0);
  ASSERT_TRUE(comes_true([&] { return seen.by_worker == 3; }));
  EXPECT_EQ(seen.by_reader, 1);
  for (int i = 1; i < 10; ++i) {
    if (i == 3)
      expect_error(ErrorCode::kDecode, "no such colours", [&] { source->read(i); });
    else
      EXPECT_EQ(source->read(i).image.rgb[0], i);
    ASSERT_TRUE(comes_true([&] { return seen.by_worker == i + 3; })) << i;
  }
  EXPECT_EQ(seen.by_reader, 1);
}

TEST(ReadAhead, LetsTheReaderConvertWhileItDecodes) {
  TwoStages::Seen seen;
  seen.held_before = 2;
  auto source = read_ahead(std::make_unique<TwoStages>(seen), 3);
  source->read(0);
  ASSERT_TRUE(comes_true([&] { return seen.decoded == 2; }));  // and hangs in decoding frame 2
  EXPECT_EQ(source->read(1).image.rgb[0], 1);
  EXPECT_EQ(seen.by_reader, 2);
  EXPECT_EQ(seen.by_worker, 0);
}

TEST(ReadAhead, GivesFramesBackToWhoTakesThemOnAnyThread) {
  TwoStages::Seen of_two_stages;
  auto source = read_ahead(std::make_unique<TwoStages>(of_two_stages), 3);
  source->recycle(source->read(0));
  EXPECT_EQ(of_two_stages.recycled, 1);
  Counted::Seen of_one;
  source = read_ahead(std::make_unique<Counted>(of_one), 3);
  source->recycle(source->read(0));
  EXPECT_FALSE(of_one.shared);
}

TEST(ReadAhead, IsOffByOption) {
  Counted::Seen seen;
  auto source = read_ahead(std::make_unique<Counted>(seen), 0);
  for (int i = 0; i < 5; ++i) source->read(i);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(seen.reads, 5);
  expect_error(ErrorCode::kInvalidArgument, "frames to read ahead: -1",
               [&] { read_ahead(std::make_unique<Counted>(seen), -1); });
}

TEST(ReadAhead, HandsOverAnErrorWhereItBelongsAndGoesOn) {
  Counted::Seen seen;
  seen.bad = 4;
  auto source = read_ahead(std::make_unique<Counted>(seen), 3);
  for (int i = 0; i < 50; ++i) {
    if (i == 4)
      expect_error(ErrorCode::kDecode, "damaged", [&] { source->read(i); });
    else
      EXPECT_EQ(source->read(i).index, i);
  }
  expect_error(ErrorCode::kOutOfRange, "no such frame", [&] { source->read(50); });
  EXPECT_EQ(source->read(0).index, 0);
}

TEST(ReadAhead, GivesTheSameBytesAsWithout) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(60, 25));
  auto plain = open_file(folder / "clip.mp4");
  std::vector<Image> frames;
  for (int i = 0; i < 60; ++i) frames.push_back(plain->read(i).image);
  for (int ahead : {0, 1, 4, 100}) {
    auto source =
        open_source(folder / "clip.mp4", {.decode = {}, .folder = {}, .read_ahead_frames = ahead});
    EXPECT_EQ(source->decoder_in_use()->codec, "h264");
    std::mt19937 random(5);
    for (int round = 0; round < 15; ++round) {
      const int from = static_cast<int>(random() % 60);
      const int step = random() % 4 == 0 ? -1 : 1 + static_cast<int>(random() % 2);
      for (int i = from; i >= 0 && i < 60 && std::abs(i - from) < 9; i += step) {
        const Frame got = source->read(i);
        ASSERT_EQ(got.index, i);
        ASSERT_EQ(got.pts_s, plain->pts_s(i));
        ASSERT_TRUE(got.image.rgb == frames[i].rgb) << "frame " << i << ", ahead " << ahead;
      }
    }
  }
}

TEST(ReadAhead, WorksForFolders) {
  TemporaryFolder folder;
  for (int i = 0; i < 6; ++i)
    write_picture(folder / (std::to_string(i) + ".png"), test::moving_square(32, 48, i));
  auto source = open_source(folder.path().string());
  EXPECT_FALSE(source->decoder_in_use());
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(source->read(i).image.rgb, test::moving_square(32, 48, i).rgb);
}

TEST(ReadAhead, CancelWakesAReaderAndRefusesLaterOnes) {
  Counted::Seen seen;
  auto source = read_ahead(std::make_unique<Counted>(seen), 2);
  source->read(0);
  ASSERT_TRUE(comes_true([&] { return seen.reads == 3; }));
  seen.held = true;  // the worker will hang within frame 3
  source->read(1);
  source->read(2);
  auto reader = std::async(std::launch::async, [&] {
    expect_error(ErrorCode::kCancelled, "cancelled", [&] { source->read(3); });
  });
  EXPECT_EQ(reader.wait_for(20ms), std::future_status::timeout);
  source->cancel();
  EXPECT_EQ(reader.wait_for(20s), std::future_status::ready);
  expect_error(ErrorCode::kCancelled, "cancelled", [&] { source->read(0); });
  seen.held = false;
}

TEST(ReadAhead, CancelEndsASeekThatTakesLong) {
  TemporaryFolder folder;
  // One key frame: the last frame is far away.
  test::write_clip(folder / "clip.mp4", test::steady_times(700, 100), 240, 320, 1000);
  auto source = open_source(folder / "clip.mp4");
  auto reader = std::async(std::launch::async, [&] {
    try {
      while (true) {
        source->read(699);
        source->read(0);
      }
    } catch (const Error& error) {
      return error.code();
    }
  });
  EXPECT_EQ(reader.wait_for(50ms), std::future_status::timeout);
  source->cancel();
  ASSERT_EQ(reader.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(reader.get(), ErrorCode::kCancelled);
}

TEST(ReadAhead, CanBeDestroyedAtAnyMoment) {
  TemporaryFolder folder;
  test::write_clip(folder / "clip.mp4", test::steady_times(60, 25), 240, 320);
  std::mt19937 random(9);
  for (int round = 0; round < 60; ++round) {
    auto source = open_source(folder / "clip.mp4");
    const int from = static_cast<int>(random() % 40);
    for (int i = from; i < from + static_cast<int>(random() % 6); ++i) source->read(i);
    if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 4000));
    if (round % 3 == 0) source->cancel();
    source.reset();
  }
}

}  // namespace
}  // namespace vostrack::video
