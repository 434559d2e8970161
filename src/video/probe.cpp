#include "video/probe.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/check.hpp"
#include "video/colour.hpp"
#include "video/frame_index.hpp"
#include "video/stated_orientation.hpp"
#include "video/tone_map.hpp"

namespace vostrack::video {
namespace {

/// A gap this many times the usual one looks like missing frames.
constexpr double kLongGap = 10;
/// A start further from zero than what reordering frames explains.
constexpr double kLateStart_s = 0.1;

std::string or_unknown(const char* name) {
  return name != nullptr ? name : "unknown";
}

/// "1 frame has", "3 frames have"
std::string counted(std::int64_t count, const char* one, const char* many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

struct PacketCounts {
  std::int64_t discarded = 0;
  std::int64_t damaged = 0;
};

PacketCounts count_packets(Demuxer& demuxer) {
  PacketCounts counts;
  PacketPtr packet = new_packet();
  while (demuxer.read(*packet)) {
    counts.discarded += (packet->flags & AV_PKT_FLAG_DISCARD) != 0;
    counts.damaged += (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
  }
  return counts;
}

/// Looks at the frames one by one.
class FrameSurvey {
 public:
  FrameSurvey(ProbeReport& report, const Demuxer& demuxer)
      : report_(report), demuxer_(demuxer), tick_s_(av_q2d(demuxer.stream().time_base)) {}

  void add(const AVFrame& frame) {
    if (report_.frame_times_s.empty()) describe_first(frame);
    add_time(frame);
    const auto index = static_cast<std::int64_t>(report_.frame_times_s.size()) - 1;
    const double time_s = report_.frame_times_s.back();
    if (frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0)
      if (damaged_++ == 0) first_damaged_ = index;
    interlaced_ += frame.interlaced_frame != 0;
    if (!size_changed_ && (frame.height != height_ || frame.width != width_)) {
      size_changed_ = true;
      changes_.push_back(fmt::format("the size changes from {}x{} to {}x{} at frame {} ({:.3f} s)",
                                     width_, height_, frame.width, frame.height, index, time_s));
    }
    if (!format_changed_ && frame.format != format_) {
      format_changed_ = true;
      changes_.push_back(
          fmt::format("the pixel format changes from {} to {} at frame {} ({:.3f} s)",
                      report_.pixel_format, name_of(frame.format), index, time_s));
    }
  }

  void finish() {
    report_.rate = rate_of(report_.frame_times_s, tick_s_);
    report_.duration_s =
        report_.frame_times_s.back() - report_.frame_times_s.front() + report_.rate.median_gap_s;
    report_.interlaced |= interlaced_ > 0;
    auto& words = report_.suspicions;
    words.insert(words.end(), changes_.begin(), changes_.end());
    if (damaged_ > 0)
      words.push_back(fmt::format("{} damaged, the first is frame {} ({:.3f} s)",
                                  counted(damaged_, "frame is", "frames are"), first_damaged_,
                                  report_.frame_times_s[first_damaged_]));
    if (without_time_ > 0)
      words.push_back(fmt::format("{} no timestamp, their times are guessed",
                                  counted(without_time_, "frame has", "frames have")));
    if (not_later_ > 0)
      words.push_back(fmt::format("{} not later than the frame before",
                                  counted(not_later_, "frame is", "frames are")));
  }

 private:
  static std::string name_of(int format) {
    return or_unknown(av_get_pix_fmt_name(static_cast<AVPixelFormat>(format)));
  }

  void describe_first(const AVFrame& frame) {
    height_ = frame.height;
    width_ = frame.width;
    format_ = frame.format;
    report_.pixel_format = name_of(frame.format);
    report_.stored_height = frame.height;
    report_.stored_width = frame.width;
    const Orientation lies = stated_orientation(demuxer_.stream(), frame);
    report_.height = lies.transposed ? frame.width : frame.height;
    report_.width = lies.transposed ? frame.height : frame.width;
    report_.mirrored = (lies.transposed + lies.mirrored_x + lies.mirrored_y) % 2 != 0;
    if (lies.transposed)
      report_.rotation_deg = lies.mirrored_x ? 90 : 270;
    else
      report_.rotation_deg = lies.mirrored_y ? 180 : 0;
    const AVRational stream_ratio = demuxer_.stream().sample_aspect_ratio;
    const AVRational ratio = stream_ratio.num > 0 ? stream_ratio : frame.sample_aspect_ratio;
    if (ratio.num > 0 && ratio.den > 0) {
      report_.pixel_aspect_x = ratio.num;
      report_.pixel_aspect_y = ratio.den;
    }
    const FrameColour stated = colour_of(frame);
    ColourReport& colour = report_.colour;
    colour.matrix = or_unknown(av_color_space_name(stated.matrix));
    colour.range = or_unknown(av_color_range_name(stated.range));
    colour.transfer = or_unknown(av_color_transfer_name(stated.transfer));
    colour.primaries = or_unknown(av_color_primaries_name(stated.primaries));
    colour.hdr = is_hdr(stated.transfer);
    const AVPixFmtDescriptor* layout =
        av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
    if (layout != nullptr) colour.bit_depth = layout->comp[0].depth;
  }

  void add_time(const AVFrame& frame) {
    without_time_ += frame.pts == AV_NOPTS_VALUE;
    const std::int64_t pts = pts_of(frame, demuxer_.stream(), last_pts_);
    not_later_ += last_pts_ && pts <= *last_pts_;
    last_pts_ = pts;
    report_.frame_times_s.push_back(static_cast<double>(pts) * tick_s_);
  }

  ProbeReport& report_;
  const Demuxer& demuxer_;
  double tick_s_;
  int height_ = 0;
  int width_ = 0;
  int format_ = AV_PIX_FMT_NONE;
  bool size_changed_ = false;
  bool format_changed_ = false;
  std::int64_t damaged_ = 0;
  std::int64_t first_damaged_ = 0;
  std::int64_t interlaced_ = 0;
  std::int64_t without_time_ = 0;
  std::int64_t not_later_ = 0;
  std::optional<std::int64_t> last_pts_;
  std::vector<std::string> changes_;
};

void describe_container(ProbeReport& report, const Demuxer& demuxer) {
  const AVFormatContext& container = demuxer.container();
  const AVStream& stream = demuxer.stream();
  report.container = container.iformat->name;
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(report.path, ignored);
  if (!ignored) report.file_bytes = static_cast<std::int64_t>(bytes);
  for (unsigned i = 0; i < container.nb_streams; ++i) {
    const AVStream& each = *container.streams[i];
    report.streams.push_back({or_unknown(av_get_media_type_string(each.codecpar->codec_type)),
                              avcodec_get_name(each.codecpar->codec_id), &each == &stream});
  }
  report.codec = avcodec_get_name(stream.codecpar->codec_id);
  if (stream.nb_frames > 0) report.stated_frames = stream.nb_frames;
  if (stream.duration != AV_NOPTS_VALUE)
    report.stated_duration_s = static_cast<double>(stream.duration) * av_q2d(stream.time_base);
  else if (container.duration != AV_NOPTS_VALUE)
    report.stated_duration_s = static_cast<double>(container.duration) / AV_TIME_BASE;
  if (std::string_view(container.iformat->name).find("mp4") != std::string_view::npos)
    report.edits = edit_list_of(report.path, stream.id);
  const AVFieldOrder order = stream.codecpar->field_order;
  report.interlaced = order != AV_FIELD_UNKNOWN && order != AV_FIELD_PROGRESSIVE;
}

void judge(ProbeReport& report, const PacketCounts& packets, std::int64_t failures,
           const std::string& complaint) {
  auto& words = report.suspicions;
  const auto frames = static_cast<std::int64_t>(report.frame_times_s.size());
  if (failures > 0)
    words.push_back(fmt::format("decoding failed {}", counted(failures, "time", "times")));
  if (!complaint.empty()) words.push_back("the file is damaged or unusual" + complaint);
  if (packets.damaged > 0)
    words.push_back(fmt::format("{} cut short or damaged",
                                counted(packets.damaged, "packet is", "packets are")));
  if (packets.discarded > 0)
    words.push_back(
        fmt::format("an edit list cuts away {}", counted(packets.discarded, "frame", "frames")));
  if (!report.stated_frames)
    words.push_back("the container states no frame count");
  else if (*report.stated_frames != frames && *report.stated_frames != frames + packets.discarded)
    words.push_back(fmt::format("the container states {}, {} decoded",
                                counted(*report.stated_frames, "frame", "frames"),
                                counted(frames, "was", "were")));
  if (std::abs(report.frame_times_s.front()) > kLateStart_s)
    words.push_back(fmt::format("the first frame is at {:.3f} s", report.frame_times_s.front()));
  const RateReport& rate = report.rate;
  if (frames > 2 && rate.max_gap_s > kLongGap * rate.median_gap_s)
    words.push_back(
        fmt::format("the longest gap between frames is {:.3f} s, the usual one {:.3f} s",
                    rate.max_gap_s, rate.median_gap_s));
  if (report.pixel_aspect_x != report.pixel_aspect_y)
    words.push_back(fmt::format("pixels are not square but {}:{}", report.pixel_aspect_x,
                                report.pixel_aspect_y));
  if (report.interlaced) words.push_back("interlaced: moving edges are combed");
  if (report.colour.hdr)
    words.push_back(fmt::format("HDR ({}), pictures are tone-mapped", report.colour.transfer));
}

}  // namespace

RateReport rate_of(const std::vector<double>& times_s, double tick_s) {
  RateReport rate;
  if (times_s.size() < 2) return rate;
  std::vector<double> gaps;
  for (std::size_t i = 1; i < times_s.size(); ++i) gaps.push_back(times_s[i] - times_s[i - 1]);
  const auto [shortest, longest] = std::minmax_element(gaps.begin(), gaps.end());
  rate.min_gap_s = *shortest;
  rate.max_gap_s = *longest;
  const auto middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::nth_element(gaps.begin(), middle, gaps.end());
  rate.median_gap_s = *middle;
  const double span_s = times_s.back() - times_s.front();
  if (span_s > 0) rate.mean_fps = static_cast<double>(gaps.size()) / span_s;
  // Two gaps may differ by two ticks when each end is rounded; where a tick is as long as a frame,
  // a difference of ticks is one of frames.
  const double spread = rate.max_gap_s - rate.min_gap_s;
  rate.constant = spread <= 2.001 * tick_s && spread <= 0.3 * rate.median_gap_s;
  return rate;
}

ProbeReport probe(const std::string& path, const DecodeOptions& options) {
  LogSink log;
  Demuxer demuxer(path, log);
  ProbeReport report;
  report.path = path;
  describe_container(report, demuxer);
  Decoder decoder(demuxer, options, log);
  const PacketCounts packets = count_packets(demuxer);
  decoder.restart();
  FrameSurvey survey(report, demuxer);
  while (const AVFrame* frame = decoder.next()) survey.add(*frame);
  check(!report.frame_times_s.empty(), ErrorCode::kDecode, "{}: not one frame can be decoded{}",
        path, log.said());
  survey.finish();
  judge(report, packets, decoder.failures(), log.said());
  return report;
}

}  // namespace vostrack::video
