#include "video/frame_index.hpp"

#include <algorithm>
#include <limits>

#include "base/check.hpp"

namespace vostrack::video {
namespace {

/// Animations whose packets all claim to be key frames although they build on each other.
bool keys_lie(AVCodecID codec) {
  return codec == AV_CODEC_ID_GIF || codec == AV_CODEC_ID_APNG;
}

/// Whether packets and shown frames may differ in number.
bool packets_lie(const AVCodecParameters& codec) {
  const bool has_hidden_frames = codec.codec_id == AV_CODEC_ID_VP8;
  const bool has_fields =
      codec.field_order != AV_FIELD_UNKNOWN && codec.field_order != AV_FIELD_PROGRESSIVE;
  return has_hidden_frames || has_fields;
}

struct PacketEntry {
  std::int64_t pts;
  bool key;
  bool discarded;
  bool damaged;
};

std::vector<PacketEntry> read_packets(Demuxer& demuxer) {
  std::vector<PacketEntry> entries;
  PacketPtr packet = new_packet();
  while (demuxer.read(*packet))
    entries.push_back({packet->pts, (packet->flags & AV_PKT_FLAG_KEY) != 0,
                       (packet->flags & AV_PKT_FLAG_DISCARD) != 0,
                       (packet->flags & AV_PKT_FLAG_CORRUPT) != 0});
  while (!entries.empty() && entries.back().damaged) entries.pop_back();
  return entries;
}

bool strictly_ascending(const std::vector<std::int64_t>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
}

}  // namespace

std::int64_t FrameIndex::find(std::int64_t timestamp) const {
  const auto place = std::lower_bound(pts.begin(), pts.end(), timestamp);
  return place != pts.end() && *place == timestamp ? place - pts.begin() : -1;
}

std::int64_t FrameIndex::key_at_or_before(std::int64_t frame) const {
  return std::upper_bound(keys.begin(), keys.end(), frame) - keys.begin() - 1;
}

std::int64_t pts_of(const AVFrame& frame, const AVStream& stream,
                    std::optional<std::int64_t> previous) {
  if (frame.best_effort_timestamp != AV_NOPTS_VALUE) return frame.best_effort_timestamp;
  if (!previous) return 0;
  const AVRational rate = stream.r_frame_rate;
  const std::int64_t step = rate.num > 0 && rate.den > 0 && stream.time_base.num > 0
                                ? av_rescale_q(1, av_inv_q(rate), stream.time_base)
                                : 1;
  return *previous + std::max<std::int64_t>(1, step);
}

FrameIndex index_of_packets(Demuxer& demuxer) {
  FrameIndex index;
  if (packets_lie(*demuxer.stream().codecpar)) return index;
  const std::vector<PacketEntry> entries = read_packets(demuxer);
  if (entries.empty() || !entries.front().key) return index;
  for (const PacketEntry& entry : entries) {
    // Before the first key frame stand frames that open on something cut away.
    if (entry.pts == AV_NOPTS_VALUE || entry.pts < entries.front().pts) return FrameIndex{};
    if (!entry.discarded) index.pts.push_back(entry.pts);
  }
  std::sort(index.pts.begin(), index.pts.end());
  if (!strictly_ascending(index.pts)) return FrameIndex{};
  index.by_timestamp = !keys_lie(demuxer.stream().codecpar->codec_id);
  for (const PacketEntry& entry : entries)
    if (entry.key && !entry.discarded) index.keys.push_back(index.find(entry.pts));
  std::sort(index.keys.begin(), index.keys.end());
  return index;
}

FrameIndex index_of_frames(Decoder& decoder, const Demuxer& demuxer) {
  FrameIndex index;
  index.by_timestamp = !keys_lie(demuxer.stream().codecpar->codec_id);
  decoder.restart();
  while (const AVFrame* frame = decoder.next()) {
    const std::int64_t pts =
        pts_of(*frame, demuxer.stream(),
               index.pts.empty() ? std::nullopt : std::optional(index.pts.back()));
    if (frame->pts != pts) index.by_timestamp = false;
    if (frame->key_frame) index.keys.push_back(static_cast<std::int64_t>(index.pts.size()));
    index.pts.push_back(pts);
  }
  if (!strictly_ascending(index.pts)) index.by_timestamp = false;
  return index;
}

}  // namespace vostrack::video
