/// Frames of a network stream or a camera, as they come.
///
///   LiveSource source("rtsp://camera/stream", {.policy = LivePolicy::kLatestOnly});
///   while (auto live = source.next()) use(live->frame.image, live->latency_s());
///
///   LiveSource camera("/dev/video0", {.camera = {.height = 720, .width = 1280, .fps = 30}});
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "video/camera.hpp"
#include "video/decoder.hpp"
#include "video/frame_queue.hpp"
#include "video/live_frame.hpp"

namespace vostrack::video {

struct LiveOptions {
  /// FFmpeg's name of the format, such as mpegts, or of a device of libavdevice's, such as x11grab;
  /// empty to find out.
  std::string format;
  /// FFmpeg's options of the protocol and format, such as {"rtsp_transport", "tcp"}.
  std::map<std::string, std::string> settings;
  /// For cameras only.
  CameraOptions camera;
  /// How long connecting and finding the streams may take, a peer that says nothing included. Only
  /// the look-up of a host's name may take longer.
  double open_timeout_s = 10;
  /// How long the peer may say nothing before the connection counts as broken.
  double read_timeout_s = 5;
  /// Whether to connect anew where the stream ends by itself, too: a broken connection often looks
  /// like an end, and over HTTP an end without a stated length looks like a broken connection.
  bool reconnect_at_end = true;
  /// How many attempts in a row may fail before the source gives up.
  int max_attempts = 8;
  /// The pause before an attempt: first this, then twice as long each time up to the maximum.
  double first_pause_s = 0.25;
  double max_pause_s = 8;
  /// Frames that wait for next(), and what happens when there are more.
  int queue_frames = 4;
  LivePolicy policy = LivePolicy::kDropOldest;
  /// One thread decodes a frame as soon as it is here; more would hold frames back.
  DecodeOptions decode = {.threads = 1, .hardware = Hardware::kNone};

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

struct LiveStatistics {
  std::int64_t decoded = 0;
  std::int64_t dropped = 0;  ///< by the queue's policy
  std::int64_t undecodable = 0;
  std::int64_t reconnects = 0;  ///< that succeeded
};

/// Reads and decodes ahead on a thread of its own. Times are seconds from the first frame as the
/// stream states them; after a reconnection they go on with the time that passed. Frames of another
/// size than the first are resized to it.
///
/// An address that begins with / is a camera's path (V4L2). All others are of network protocols
/// only (http, https, rtsp, rtp, rtmp, srt, tcp, udp, tls): no playlist from outside can make it
/// read a local file. A camera that says nothing or is pulled out is a broken connection too.
///
/// Thread safety: next() on one thread, the others on any. Destroying it, also while the peer
/// stalls, takes a tenth of a second or less.
class LiveSource {
 public:
  /// Connects, and returns when the first frame is decoded.
  ///
  /// @throws Error kIo when there is no connection or no frame in time, and for a path that is no
  ///   camera or not ours to use; kNotFound for a camera that is not there; kDecode when it is no
  ///   video; kUnsupported for its codec, a size the camera does not offer, and cameras where the
  ///   build has no libavdevice; kInvalidArgument for options
  LiveSource(const std::string& address, const LiveOptions& options = {});
  ~LiveSource();

  int height() const;
  int width() const;
  /// As on the first connection.
  DecoderInUse decoder_in_use() const;

  /// Waits for a frame. Nothing after cancel(), or at the stream's end without reconnect_at_end.
  ///
  /// @throws Error kIo when the connection broke and all attempts failed
  std::optional<LiveFrame> next();

  /// Ends it at once; what waits is thrown away.
  void cancel();

  LiveStatistics statistics() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vostrack::video
