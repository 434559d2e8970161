/// Frames that a program brings itself.
///
///   PushedSource source({.queue_frames = 4, .policy = LivePolicy::kLatestOnly});
///   source.push({.layout = PixelLayout::kBgr, .height = 480, .width = 640,
///                .planes = {mat.data}, .strides = {step}}, time_s);       // on one thread
///   while (auto live = source.next()) use(live->frame.image);            // on another
///
/// Without a copy on the thread that pushes, here of a buffer that a camera's driver wants back:
///
///   source.push(picture, time_s, std::shared_ptr<const void>(buffer, give_back));
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "video/frame_queue.hpp"
#include "video/live_frame.hpp"
#include "vostrack/pushed.hpp"

namespace vostrack::video {

/// Thread safety: push() on one thread, next() on another, close() and cancel() on any.
class PushedSource {
 public:
  /// @throws Error kInvalidArgument for options
  explicit PushedSource(const PushedOptions& options = {});
  ~PushedSource();

  /// Converts the picture to RGB, so its memory is free again when this returns. All pictures must
  /// have the size of the first.
  ///
  /// @param pts_s  seconds, later than those before
  /// @return false when the source is closed
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
  std::optional<LiveFrame> next();

  /// No frame will follow.
  void close();
  /// The same, and what waits is thrown away.
  void cancel();

  std::int64_t dropped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack::video
