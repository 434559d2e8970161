/// Frames that a program brings itself: from a camera's own library, a simulator, another decoder.
///
///   vostrack::PushedVideo video;
///   vostrack::PushedPicture picture;                      // a borrowed buffer
///   picture.layout = vostrack::PixelLayout::kNv12;
///   picture.height = 480, picture.width = 640;
///   picture.planes = {y, uv};
///   picture.strides = {640, 640};
///   video.push(picture, time_s);                          // on one thread
///   while (auto live = video.next())                      // on another
///     tracker.track(live->frame.image, live->frame.pts_s);
///
/// Without a copy on the thread that pushes, here of a buffer that a driver wants back:
///
///   video.push(picture, time_s, std::shared_ptr<const void>(buffer, give_back));
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "vostrack/export.hpp"
#include "vostrack/live.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

enum class PixelLayout {
  kRgb,
  kBgr,
  kGray,
  kNv12,  ///< a plane of Y, one of U and V in turn, both halved
  kI420,  ///< planes of Y, U and V, the latter two halved
};

enum class YuvMatrix { kBt601, kBt709, kBt2020 };

/// A borrowed picture.
struct PushedPicture {
  PixelLayout layout = PixelLayout::kRgb;
  int height = 0;
  int width = 0;
  /// As many as the layout has; the first byte of the upper row.
  std::array<const std::uint8_t*, 3> planes{};
  /// Bytes from one row to the next; negative for pictures that are stored bottom up.
  std::array<std::ptrdiff_t, 3> strides{};
  /// For kNv12 and kI420.
  YuvMatrix matrix = YuvMatrix::kBt601;
  bool full_range = false;
};

struct PushedOptions {
  /// Frames that wait for next(), 1 to 4096, and what happens when there are more.
  int queue_frames = 4;
  LivePolicy policy = LivePolicy::kBlock;
};

/// A library built without video lacks it.
///
/// Thread safety: push() on one thread, next() on another, close(), cancel() and dropped() on any.
class VOSTRACK_API PushedVideo {
 public:
  /// @throws Error kInvalidArgument for options
  explicit PushedVideo(const PushedOptions& options = {});
  ~PushedVideo();
  PushedVideo(PushedVideo&&) noexcept;
  PushedVideo& operator=(PushedVideo&&) noexcept;

  /// Converts the picture to RGB, so its memory is free again when this returns. All pictures must
  /// have the size of the first.
  ///
  /// @param pts_s  seconds, later than those before
  /// @return false when closed
  /// @throws Error kInvalidArgument naming what is wrong with the picture or its time
  bool push(const PushedPicture& picture, double pts_s);
  /// Only notes where the picture lies: it is converted by next(), in one pass, and one that the
  /// policy drops costs nothing.
  ///
  /// @param owner  keeps the memory, which must not change, until it is let go: when the picture
  ///   was converted or dropped, by whichever thread calls push(), next() or cancel() then
  /// @throws Error kInvalidArgument as above, also without an owner; it is let go then
  bool push(const PushedPicture& picture, double pts_s, std::shared_ptr<const void> owner);
  /// The same for a picture that is RGB already; nothing is copied.
  bool push(Image image, double pts_s);

  /// Waits for a frame; nothing after close() and the last one.
  std::optional<LivePicture> next();

  /// No frame will follow.
  void close();
  /// The same, and what waits is thrown away.
  void cancel();

  /// Frames that the policy threw away.
  std::int64_t dropped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack
