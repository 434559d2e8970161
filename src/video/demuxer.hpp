/// The packets of a file's video stream.
#pragma once

#include <cstdint>
#include <string>

#include "video/ffmpeg.hpp"
#include "video/ffmpeg_log.hpp"

namespace vostrack::video {

/// Reads packets in the order of the file. Local files only: a name is never taken for an address,
/// and a playlist cannot fetch anything.
///
/// Thread safety: one thread at a time. `log` must outlive it.
class Demuxer {
 public:
  /// @throws Error kNotFound; kIo for what is no readable file; kDecode when no video is in it or
  ///   its size makes no sense
  Demuxer(const std::string& path, LogSink& log);

  const std::string& path() const noexcept { return path_; }
  const AVFormatContext& container() const noexcept { return *format_; }
  const AVStream& stream() const noexcept { return *format_->streams[stream_]; }

  /// The next packet of the video stream; false at the end, also where the file is cut short.
  ///
  /// @throws Error kIo when reading fails
  bool read(AVPacket& packet);

  /// Goes to a packet from which the frame at `pts` should be reachable; false if the container
  /// cannot. Where it really lands is for the caller to see from the packets.
  bool seek(std::int64_t pts);

  /// Goes to the very beginning, by opening the file anew: the one way that every container allows.
  void rewind();

 private:
  void open();

  std::string path_;
  LogSink& log_;
  FormatInput format_;
  CodecParameters parameters_;  ///< as found when it was opened first
  int stream_ = -1;
};

}  // namespace vostrack::video
