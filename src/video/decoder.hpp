/// Packets to frames.
#pragma once

#include <cstdint>
#include <optional>

#include "video/demuxer.hpp"
#include "video/ffmpeg.hpp"
#include "video/ffmpeg_log.hpp"
#include "video/hardware.hpp"

namespace vostrack::video {

struct DecodeOptions {
  /// Decoding threads; 0: as many as there are processors. The pictures do not depend on it.
  int threads = 0;
  /// What decodes; where it cannot, the processor's cores do.
  Hardware hardware = Hardware::kNone;

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// Decodes a file's frames in presentation order from the start or from a key frame.
///
/// A packet that the decoder refuses is passed over, so that one damaged frame does not cost the
/// rest; that its frame is missing shows in the timestamps.
///
/// Thread safety: one thread at a time. `demuxer` and `log` must outlive it.
class Decoder {
 public:
  /// @throws Error kUnsupported without a decoder for the stream; kDecode when it cannot start
  Decoder(Demuxer& demuxer, const DecodeOptions& options, LogSink& log);

  /// The next frame, valid until the next call; nullptr at the end.
  const AVFrame* next();

  /// Continues at a key frame with a timestamp of at most `pts`; false if the container lands
  /// elsewhere, and then the position is undefined until the next seek or restart.
  bool seek(std::int64_t pts);
  void restart();

  /// How often the decoder refused a packet or failed on a frame, since it began.
  std::int64_t failures() const noexcept { return failures_; }

  DecoderInUse in_use() const { return hardware_.in_use(); }

 private:
  void open();
  bool feed();
  const AVFrame* fetched();

  Demuxer& demuxer_;
  LogSink& log_;
  DecodeOptions options_;
  PacketPtr packet_;
  FramePtr frame_;
  HardwareDecoder hardware_;  // outlives the context
  CodecContext context_;
  bool packet_waits_ = false;
  bool draining_ = false;
  std::int64_t failures_ = 0;
  /// After a seek: frames before the key frame may lack their references.
  std::optional<std::int64_t> first_pts_;
};

}  // namespace vostrack::video
