/// One connection to a network stream or a camera: its packets and frames, within time limits.
#pragma once

#include <atomic>
#include <map>
#include <string>

#include "video/colour.hpp"
#include "video/ffmpeg.hpp"
#include "video/ffmpeg_log.hpp"
#include "video/live_source.hpp"

namespace vostrack::video {

/// Thread safety: one thread at a time, but `cancelled` may be set by any. The arguments must
/// outlive it.
class Connection {
 public:
  /// @throws Error kIo, kDecode, kUnsupported; kCancelled when cancelled
  Connection(const std::string& address, const LiveOptions& options,
             const std::atomic<bool>& cancelled);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The next frame, valid until the next call; nullptr at the end of the stream.
  ///
  /// @throws Error kIo when the connection breaks or says nothing for too long, kCancelled
  const AVFrame* next();

  /// When the frame's data came in.
  Clock::time_point arrival_of(const AVFrame& frame) const;
  const AVStream& stream() const { return *format_->streams[stream_]; }
  DecoderInUse decoder_in_use() const { return hardware_.in_use(); }
  std::int64_t undecodable() const { return undecodable_; }

 private:
  static int must_stop(void* self);
  void limit(double seconds);
  void open();
  void find_streams();
  void find_video();
  void open_decoder();
  const AVFrame* fetched();
  /// Throws what a failed call of FFmpeg's means.
  [[noreturn]] void fail_with(int code, const char* what) const;

  const std::string& address_;
  const LiveOptions& options_;
  const std::atomic<bool>& cancelled_;
  Clock::time_point deadline_;
  LogSink log_;  // outlives what writes to it
  FormatInput format_;
  HardwareDecoder hardware_;  // outlives the decoder
  CodecContext decoder_;
  PacketPtr packet_ = new_packet();
  FramePtr frame_ = new_frame();
  int stream_ = -1;
  bool draining_ = false;
  std::int64_t undecodable_ = 0;
  /// When the packets came in whose frames may still be inside the decoder, by timestamp.
  std::map<std::int64_t, Clock::time_point> arrivals_;
  Clock::time_point last_arrival_;
};

}  // namespace vostrack::video
