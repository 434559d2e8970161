/// Frames of cameras and network streams, as they come.
///
///   vostrack::LiveOptions options;
///   options.policy = vostrack::LivePolicy::kLatestOnly;         // never fall behind
///   vostrack::LiveVideo video("rtsp://camera/stream", options);  // or "/dev/video0"
///   vostrack::StreamTracker tracker(vostrack::Model::load_default());
///   while (auto live = video.next()) {
///     auto result = tracker.track(live->frame.image, live->frame.pts_s);
///     show(result, live->latency_s());                           // since the frame's data came in
///   }
///   // video.cancel() on any thread ends the loop; video.statistics() counts what was dropped
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "vostrack/export.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

/// What happens to a new frame when as many wait as may.
enum class LivePolicy {
  kBlock,       ///< reading waits: no frame is lost here, but a camera may drop some
  kDropOldest,  ///< the longest waiting one goes: bounded delay, few gaps
  kLatestOnly,  ///< all waiting ones go, at any time: the least delay
};

struct LiveOptions {
  /// Frames that wait for next(), 1 to 4096, and what happens when there are more.
  int queue_frames = 4;
  LivePolicy policy = LivePolicy::kDropOldest;

  /// How long connecting may take until there is a picture, a peer that says nothing included.
  double open_timeout_s = 10;
  /// How long the peer or camera may say nothing before the connection counts as broken.
  double read_timeout_s = 5;
  /// How many attempts in a row to connect again may fail; 0: a broken connection is an error.
  int max_attempts = 8;
  /// The pause before an attempt: first this, then twice as long each time up to the maximum.
  double first_pause_s = 0.25;
  double max_pause_s = 8;
  /// Whether to connect anew where the stream ends by itself, too.
  bool reconnect_at_end = true;

  /// What a camera is asked for: pixels (both or neither), frames a second, and a pixel format or
  /// codec that it offers, such as yuyv422 or mjpeg. Unset: what it does by itself.
  std::optional<int> camera_height;
  std::optional<int> camera_width;
  std::optional<double> camera_fps;
  std::string camera_pixel_format;

  /// Decoding threads; more than one may hold frames back.
  int threads = 1;
  /// What decodes: none (the processor's cores), auto, cuda, vaapi or videotoolbox. Where the
  /// machine cannot, the cores do; LiveVideo::decoder() says so.
  std::string hardware = "none";

  /// The name of the stream's format where it does not show, such as mpegts, and settings of the
  /// protocol, such as {"rtsp_transport", "tcp"}, in the words of the program that underlies this.
  std::string format;
  std::map<std::string, std::string> settings;
};

struct LivePicture {
  /// Numbered from 0 as they arrived: a gap is a frame that the policy dropped. Times are seconds
  /// from the first frame; after a reconnection they go on with the time that passed.
  Frame frame;
  /// When the frame's data came in, before decoding.
  std::chrono::steady_clock::time_point arrival;

  /// Seconds since its arrival.
  double latency_s() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - arrival).count();
  }
};

struct LiveCounts {
  std::int64_t decoded = 0;
  std::int64_t dropped = 0;      ///< by the policy
  std::int64_t undecodable = 0;  ///< damaged on the way
  std::int64_t reconnects = 0;   ///< that succeeded
};

/// Reads and decodes on a thread of its own, and connects again when the connection breaks.
///
/// Thread safety: next() on one thread, the others on any. Destroying it, also while the peer
/// stalls, takes a tenth of a second or less.
class VOSTRACK_API LiveVideo {
 public:
  /// Connects, and returns when the first frame is decoded.
  ///
  /// @param address  of a network stream (http, https, rtsp, rtp, rtmp, srt, tcp, udp, tls), or the
  ///   path of a camera; a stream can never make this read a file
  /// @throws Error kIo without a connection or a frame in time, and for a path that is no camera or
  ///   not ours to use; kNotFound for a camera that is not there; kDecode when it is no video;
  ///   kUnsupported for its codec, for a size the camera does not offer, and where this build reads
  ///   no video or no cameras; kInvalidArgument for options
  explicit LiveVideo(const std::string& address, const LiveOptions& options = {});
  ~LiveVideo();
  LiveVideo(LiveVideo&&) noexcept;
  LiveVideo& operator=(LiveVideo&&) noexcept;

  /// Size of every frame, upright; a stream that changes it is resized to the first.
  int height() const;
  int width() const;
  /// What decodes, such as "h264" or "h264 (cuda)", and why not the hardware that was asked for.
  std::string decoder() const;

  /// Waits for a frame. Nothing after cancel(), or at the end without reconnect_at_end.
  ///
  /// @throws Error kIo when the connection broke and all attempts failed
  std::optional<LivePicture> next();

  /// Ends it at once; what waits is thrown away.
  void cancel();

  LiveCounts statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack
