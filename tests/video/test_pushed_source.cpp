#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "video/pushed_source.hpp"
#include "video/test_clips.hpp"

namespace vostrack::video {
namespace {

using test::expect_error;

/// A picture that costs nothing.
Image small() {
  return {2, 2, std::vector<std::uint8_t>(12)};
}

/// Rows of `values`, with bytes of 77 between them that must not show.
std::vector<std::uint8_t> padded(const std::vector<std::uint8_t>& pixel, int height, int width,
                                 std::ptrdiff_t stride) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(height * stride), 77);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      std::copy(pixel.begin(), pixel.end(),
                bytes.begin() + y * stride + x * static_cast<std::ptrdiff_t>(pixel.size()));
  return bytes;
}

void expect_plain(const Image& image, int r, int g, int b) {
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    ASSERT_NEAR(image.rgb[i], r, 2) << i;
    ASSERT_NEAR(image.rgb[i + 1], g, 2) << i;
    ASSERT_NEAR(image.rgb[i + 2], b, 2) << i;
  }
}

TEST(PushedSource, TakesEveryLayoutWithItsStrides) {
  // An odd size, so that halved planes are rounded up.
  constexpr int height = 5, width = 7;
  const auto rgb = padded({200, 100, 50}, height, width, 32);
  const auto grey = padded({120}, height, width, 9);
  // Pure red in BT.709's limited range.
  const auto y = padded({63}, height, width, 11);
  const auto u = padded({102}, 3, 4, 6), v = padded({240}, 3, 4, 5);
  const auto uv = padded({102, 240}, 3, 4, 10);
  PushedSource source({.queue_frames = 8, .policy = LivePolicy::kBlock});
  PushedPicture picture{.height = height, .width = width};
  picture.planes = {rgb.data()};
  picture.strides = {32};
  source.push(picture, 0);
  picture.layout = PixelLayout::kBgr;
  source.push(picture, 1);
  picture.layout = PixelLayout::kGray;
  picture.planes = {grey.data()};
  picture.strides = {9};
  source.push(picture, 2);
  picture.layout = PixelLayout::kI420;
  picture.matrix = YuvMatrix::kBt709;
  picture.planes = {y.data(), u.data(), v.data()};
  picture.strides = {11, 6, 5};
  source.push(picture, 3);
  picture.layout = PixelLayout::kNv12;
  picture.planes = {y.data(), uv.data()};
  picture.strides = {11, 10};
  source.push(picture, 4);
  source.close();
  expect_plain(source.next()->frame.image, 200, 100, 50);
  expect_plain(source.next()->frame.image, 50, 100, 200);
  expect_plain(source.next()->frame.image, 120, 120, 120);
  expect_plain(source.next()->frame.image, 255, 0, 0);
  const auto last = source.next();
  expect_plain(last->frame.image, 255, 0, 0);
  EXPECT_EQ(last->frame.index, 4);
  EXPECT_EQ(last->frame.pts_s, 4);
  EXPECT_GE(last->latency_s(), 0);
  EXPECT_FALSE(source.next());
}

TEST(PushedSource, TurnsABottomUpPictureOver) {
  Image image = test::moving_square(32, 48, 2);
  PushedSource source;
  PushedPicture picture{.height = 32, .width = 48};
  picture.planes = {image.rgb.data() + 31 * 3 * 48};
  picture.strides = {-3 * 48};
  source.push(picture, 0);
  const Image got = source.next()->frame.image;
  for (int y = 0; y < 32; ++y)
    ASSERT_TRUE(std::equal(got.rgb.begin() + y * 144, got.rgb.begin() + (y + 1) * 144,
                           image.rgb.begin() + (31 - y) * 144));
}

TEST(PushedSource, NamesWhatIsWrongAndStaysUsable) {
  PushedSource source;
  const auto grey = padded({120}, 4, 4, 4);
  PushedPicture picture{.layout = PixelLayout::kGray, .height = 4, .width = 4};
  expect_error(ErrorCode::kInvalidArgument, "plane 0 is null", [&] { source.push(picture, 0); });
  picture.planes = {grey.data()};
  picture.strides = {3};
  expect_error(ErrorCode::kInvalidArgument, "rows 3 bytes apart, want at least 4",
               [&] { source.push(picture, 0); });
  picture.strides = {4};
  EXPECT_TRUE(source.push(picture, 1));
  expect_error(ErrorCode::kInvalidArgument, "times that advance", [&] { source.push(picture, 1); });
  picture.height = 3;
  expect_error(ErrorCode::kInvalidArgument, "4x3, want 4x4", [&] { source.push(picture, 2); });
  expect_error(ErrorCode::kInvalidArgument, "buffer has 2 bytes",
               [&] { source.push(Image{4, 4, {1, 2}}, 2); });
  EXPECT_EQ(source.next()->frame.index, 0);
  expect_error(ErrorCode::kInvalidArgument, "queue of 0",
               [] { PushedSource none({.queue_frames = 0}); });
}

TEST(PushedSource, DropsByItsPolicy) {
  const auto indices = [](LivePolicy policy) {
    PushedSource source({.queue_frames = 3, .policy = policy});
    for (int i = 0; i < 10; ++i) source.push(small(), i);
    source.close();
    std::vector<std::int64_t> got;
    while (const auto live = source.next()) got.push_back(live->frame.index);
    EXPECT_EQ(source.dropped(), 10 - static_cast<std::int64_t>(got.size()));
    return got;
  };
  EXPECT_EQ(indices(LivePolicy::kDropOldest), (std::vector<std::int64_t>{7, 8, 9}));
  EXPECT_EQ(indices(LivePolicy::kLatestOnly), (std::vector<std::int64_t>{9}));
}

TEST(PushedSource, BlocksWithoutLosingAFrame) {
  PushedSource source({.queue_frames = 2, .policy = LivePolicy::kBlock});
  std::thread pusher([&] {
    for (int i = 0; i < 200; ++i) source.push(small(), i);
    source.close();
  });
  std::int64_t next = 0;
  while (const auto live = source.next()) EXPECT_EQ(live->frame.index, next++);
  pusher.join();
  EXPECT_EQ(next, 200);
  EXPECT_EQ(source.dropped(), 0);
}

TEST(PushedSource, CancelWakesBothSides) {
  PushedSource full({.queue_frames = 1, .policy = LivePolicy::kBlock}), empty;
  full.push(small(), 0);
  auto blocked = std::async(std::launch::async, [&] { return full.push(small(), 1); });
  auto waiting = std::async(std::launch::async, [&] { return empty.next().has_value(); });
  EXPECT_EQ(blocked.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  full.cancel();
  empty.cancel();
  EXPECT_FALSE(blocked.get());
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(full.next());
}

/// A grey picture whose memory counts when it is let go.
struct Lent {
  explicit Lent(std::uint8_t value, std::atomic<int>& given_back)
      : bytes(16, value), owner(bytes.data(), [&given_back](const void*) { ++given_back; }) {
    picture.planes = {bytes.data()};
    picture.strides = {4};
  }
  std::vector<std::uint8_t> bytes;
  std::shared_ptr<const void> owner;
  PushedPicture picture{.layout = PixelLayout::kGray, .height = 4, .width = 4};
};

TEST(PushedSource, LetsGoOfBorrowedMemoryOnceItIsConvertedOrDropped) {
  std::atomic<int> given_back{0};
  std::vector<std::unique_ptr<Lent>> lent;
  for (int i = 0; i < 6; ++i)
    lent.push_back(std::make_unique<Lent>(static_cast<std::uint8_t>(10 * i), given_back));
  const auto push = [&](PushedSource& source, int i) {
    return source.push(lent[i]->picture, i, std::move(lent[i]->owner));
  };
  {
    PushedSource source({.queue_frames = 2, .policy = LivePolicy::kDropOldest});
    push(source, 0);
    push(source, 1);
    EXPECT_EQ(given_back, 0);
    push(source, 2);
    EXPECT_EQ(given_back, 1);                                     // 0 was dropped
    std::fill(lent[1]->bytes.begin(), lent[1]->bytes.end(), 99);  // not copied yet
    expect_plain(source.next()->frame.image, 99, 99, 99);
    EXPECT_EQ(given_back, 2);
    source.cancel();
    EXPECT_EQ(given_back, 3);
    EXPECT_FALSE(push(source, 3));
    EXPECT_EQ(given_back, 4);
  }
  {
    PushedSource source;
    push(source, 4);
    EXPECT_EQ(given_back, 4);
  }
  EXPECT_EQ(given_back, 5);
}

TEST(PushedSource, MayBeCalledWhileItLetsGo) {
  PushedSource source({.queue_frames = 1, .policy = LivePolicy::kLatestOnly});
  std::atomic<int> unused{0};
  Lent first(1, unused), second(2, unused);
  std::int64_t dropped = -1;
  source.push(first.picture, 0, std::shared_ptr<const void>(first.bytes.data(), [&](const void*) {
                dropped = source.dropped();
              }));
  source.push(second.picture, 1, second.owner);
  EXPECT_EQ(dropped, 1);
}

TEST(PushedSource, ConvertsABorrowedPictureLikeACopiedOne) {
  constexpr int height = 6, width = 10;
  std::vector<std::uint8_t> bytes(300);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 % 251);
  PushedPicture picture{.height = height, .width = width};
  picture.planes = {bytes.data(), bytes.data() + 100, bytes.data() + 200};
  picture.strides = {32, 12, 12};
  double time_s = 0;
  PushedSource source({.queue_frames = 16, .policy = LivePolicy::kBlock});
  for (const PixelLayout layout : {PixelLayout::kRgb, PixelLayout::kBgr, PixelLayout::kGray,
                                   PixelLayout::kNv12, PixelLayout::kI420}) {
    picture.layout = layout;
    source.push(picture, time_s++);
    source.push(picture, time_s++, std::make_shared<int>());
    EXPECT_EQ(source.next()->frame.image.rgb, source.next()->frame.image.rgb);
  }
  expect_error(ErrorCode::kInvalidArgument, "nobody owns its memory",
               [&] { source.push(picture, time_s, nullptr); });
}

}  // namespace
}  // namespace vostrack::video
