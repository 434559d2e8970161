/// The sound of one file, packet by packet, to be copied into another.
#pragma once

#include <cstdint>

#include "video/ffmpeg.hpp"
#include "video/ffmpeg_log.hpp"
#include "vostrack/writing.hpp"

namespace vostrack::video {

/// Reads the packets of a local file's best sound stream in order, on the new video's clock.
///
/// A packet that straddles the start is kept with a time below 0, and so is one that ends there,
/// from which decoders warm up; players begin at 0. Packets without a time are left out.
///
/// Thread safety: one thread at a time. `log` must outlive it.
class SoundReader {
 public:
  /// @throws Error kInvalidArgument for times that are none or end before they start; kNotFound for
  ///   no such file or a file without sound; kDecode for what cannot be opened
  SoundReader(const SoundSource& source, LogSink& log);

  /// The source's stream; packets are in its time base.
  const AVStream& stream() const noexcept { return *format_->streams[stream_]; }

  /// The next packet if it begins before this time in seconds, else nullptr, also at the end. It is
  /// the caller's to change until the next call.
  ///
  /// @throws Error kIo when reading fails
  AVPacket* next_before(double until_s);

 private:
  bool read();
  bool place();

  SoundSource source_;
  LogSink& log_;
  FormatInput format_;
  int stream_ = -1;
  PacketPtr packet_ = new_packet();
  bool pending_ = false;  ///< packet_ is yet to be given out
  bool ended_ = false;
};

}  // namespace vostrack::video
