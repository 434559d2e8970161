#include "video/sound.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace vostrack::video {
namespace {

/// Beyond it, a timestamp is damaged, and sums of two could overflow.
constexpr std::int64_t kMaxTicks = std::int64_t{1} << 61;

FormatInput open(const std::string& path, LogSink& log) {
  check(std::filesystem::is_regular_file(path), ErrorCode::kNotFound, "{}: no such file for sound",
        path.empty() ? "(empty path)" : path);
  AVFormatContext* context = avformat_alloc_context();
  check(context != nullptr, ErrorCode::kOutOfMemory, "{}: no memory to open it", path);
  context->opaque = &log;
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", "file", 0);  // a playlist cannot fetch anything
  const int opened = avformat_open_input(&context, ("file:" + path).c_str(), nullptr, &options);
  av_dict_free(&options);
  check(opened == 0, ErrorCode::kDecode, "{}: cannot be opened for its sound: {}{}", path,
        error_text(opened), log.said());
  FormatInput format(context);
  const int probed = avformat_find_stream_info(context, nullptr);
  check(probed >= 0, ErrorCode::kDecode, "{}: its streams cannot be read: {}{}", path,
        error_text(probed), log.said());
  return format;
}

void check_times(const SoundSource& source) {
  check(std::isfinite(source.start_s) && std::abs(source.start_s) < 1e9,
        ErrorCode::kInvalidArgument, "sound.start_s: {}, want seconds", source.start_s);
  check(source.end_s > source.start_s, ErrorCode::kInvalidArgument,
        "sound.end_s: {}, want more than start_s {}", source.end_s, source.start_s);
}

}  // namespace

SoundReader::SoundReader(const SoundSource& source, LogSink& log) : source_(source), log_(log) {
  check_times(source);
  LogSink::Scope scope(log_);
  format_ = open(source.path, log);
  stream_ = av_find_best_stream(format_.get(), AVMEDIA_TYPE_AUDIO, -1, -1, nullptr, 0);
  check(stream_ >= 0, ErrorCode::kNotFound, "{}: holds no sound", source.path);
  for (unsigned i = 0; i < format_->nb_streams; ++i)
    if (static_cast<int>(i) != stream_) format_->streams[i]->discard = AVDISCARD_ALL;
  const double tick = av_q2d(stream().time_base);
  check(tick > 0 && stream().codecpar->sample_rate > 0, ErrorCode::kDecode,
        "{}: its sound states no rate", source.path);
  // Sound of a long video is not read from the beginning for the sake of its last minute.
  if (source.start_s > 1)
    av_seek_frame(format_.get(), stream_, std::llround((source.start_s - 1) / tick),
                  AVSEEK_FLAG_BACKWARD);
}

AVPacket* SoundReader::next_before(double until_s) {
  LogSink::Scope scope(log_);
  while (!pending_ && !ended_) pending_ = read() && place();
  if (!pending_) return nullptr;
  if (static_cast<double>(packet_->pts) * av_q2d(stream().time_base) >= until_s) return nullptr;
  pending_ = false;
  return packet_.get();
}

/// Fetches a packet of the sound stream; false at the end.
bool SoundReader::read() {
  while (true) {
    av_packet_unref(packet_.get());
    const int got = av_read_frame(format_.get(), packet_.get());
    if (got == 0 && packet_->stream_index == stream_) return true;
    if (got == 0 || got == AVERROR(EAGAIN)) continue;
    check(got != AVERROR(EIO) && got != AVERROR(ENOMEM), ErrorCode::kIo,
          "{}: reading its sound failed: {}{}", source_.path, error_text(got), log_.said());
    ended_ = true;
    return false;
  }
}

/// Puts the packet on the new clock; false for one that is left out.
bool SoundReader::place() {
  if (packet_->pts == AV_NOPTS_VALUE) packet_->pts = packet_->dts;
  if (packet_->dts == AV_NOPTS_VALUE) packet_->dts = packet_->pts;
  const auto sound = [](std::int64_t ticks) { return std::abs(ticks) < kMaxTicks; };
  if (packet_->dts == AV_NOPTS_VALUE || !sound(packet_->pts) || !sound(packet_->dts)) return false;
  packet_->duration = std::clamp<std::int64_t>(packet_->duration, 0, kMaxTicks);
  const double tick = av_q2d(stream().time_base);
  if (static_cast<double>(packet_->pts + packet_->duration) * tick < source_.start_s) return false;
  if (static_cast<double>(packet_->pts) * tick >= source_.end_s) {
    ended_ = true;
    return false;
  }
  const std::int64_t shift = std::llround(source_.start_s / tick);
  if (!sound(shift)) return false;
  packet_->pts = std::max(packet_->pts, packet_->dts) - shift;
  packet_->dts -= shift;
  return true;
}

}  // namespace vostrack::video
