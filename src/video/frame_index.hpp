/// Which frames a video has, and from where each can be reached.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "video/decoder.hpp"
#include "video/demuxer.hpp"

namespace vostrack::video {

struct FrameIndex {
  /// Timestamps in units of the stream's time base, in the order of presentation.
  std::vector<std::int64_t> pts;
  /// Positions in `pts` at which a key frame is shown, ascending.
  std::vector<std::int64_t> keys;
  /// Whether a timestamp says which frame it is and key frames say where to start. Otherwise frames
  /// are counted from the beginning.
  bool by_timestamp = false;

  /// The position of a timestamp, or -1.
  std::int64_t find(std::int64_t timestamp) const;
  /// The place in `keys` of the last key frame at or before a frame, or -1.
  std::int64_t key_at_or_before(std::int64_t frame) const;
};

/// When a frame is shown, in units of the stream's time base. Where nothing in the file says so, as
/// in a bare bit stream, frames follow each other at the stream's stated rate.
///
/// @param previous  the time of the frame before
std::int64_t pts_of(const AVFrame& frame, const AVStream& stream,
                    std::optional<std::int64_t> previous);

/// Reads the packets without decoding them: quick, and right for nearly every file. The result is
/// empty where packets do not say which frames there will be: timestamps missing or double, a start
/// without key frame, codecs with frames that are never shown, and two fields to a frame.
///
/// Packets that an edit list discards do not count, nor damaged ones at the end of a cut file.
FrameIndex index_of_packets(Demuxer& demuxer);

/// Decodes everything once. Empty when not a single frame can be decoded.
FrameIndex index_of_frames(Decoder& decoder, const Demuxer& demuxer);

}  // namespace vostrack::video
