#include "video/decoder.hpp"

#include "base/check.hpp"

namespace vostrack::video {
namespace {

/// How many packets to look through for a key frame after a seek.
constexpr int kMaxPacketsToKeyFrame = 2000;

}  // namespace

void DecodeOptions::validate() const {
  check(threads >= 0 && threads <= 256, ErrorCode::kInvalidArgument,
        "decode.threads: {}, want 0 (as many as processors) to 256", threads);
  check(hardware >= Hardware::kNone && hardware <= Hardware::kVideoToolbox,
        ErrorCode::kInvalidArgument, "decode.hardware: {} is none of the known ones",
        static_cast<int>(hardware));
}

Decoder::Decoder(Demuxer& demuxer, const DecodeOptions& options, LogSink& log)
    : demuxer_(demuxer),
      log_(log),
      options_((options.validate(), options)),
      packet_(new_packet()),
      frame_(new_frame()),
      hardware_(options.hardware, demuxer.path()) {
  open();
}

void Decoder::open() {
  LogSink::Scope scope(log_);
  const AVCodecParameters& parameters = *demuxer_.stream().codecpar;
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  check(codec != nullptr, ErrorCode::kUnsupported, "{}: this FFmpeg has no decoder for {}",
        demuxer_.path(), avcodec_get_name(parameters.codec_id));
  context_.reset(avcodec_alloc_context3(codec));
  check(context_ != nullptr, ErrorCode::kOutOfMemory, "{}: no memory for a decoder",
        demuxer_.path());
  int code = avcodec_parameters_to_context(context_.get(), &parameters);
  context_->opaque = &log_;
  context_->pkt_timebase = demuxer_.stream().time_base;
  context_->thread_count = options_.threads;
  context_->max_pixels = std::int64_t{1} << 28;
  hardware_.attach(*context_);
  if (code >= 0) code = avcodec_open2(context_.get(), codec, nullptr);
  check(code >= 0, ErrorCode::kDecode, "{}: the {} decoder does not start: {}{}", demuxer_.path(),
        codec->name, error_text(code), log_.said());
  packet_waits_ = false;
  draining_ = false;
  failures_ = 0;
  first_pts_.reset();
}

bool Decoder::feed() {
  if (!packet_waits_ && !demuxer_.read(*packet_)) {
    draining_ = true;
    return avcodec_send_packet(context_.get(), nullptr) == 0;
  }
  packet_waits_ = false;
  const int code = avcodec_send_packet(context_.get(), packet_.get());
  av_packet_unref(packet_.get());
  check(code != AVERROR(ENOMEM), ErrorCode::kOutOfMemory, "{}: no memory to decode",
        demuxer_.path());
  if (code < 0) ++failures_;
  return true;
}

const AVFrame* Decoder::next() {
  LogSink::Scope scope(log_);
  while (true) {
    const int code = avcodec_receive_frame(context_.get(), frame_.get());
    if (code == AVERROR_EOF) return nullptr;
    if (code == 0) {
      if (first_pts_ && frame_->pts != AV_NOPTS_VALUE && frame_->pts < *first_pts_) continue;
      return fetched();
    }
    check(code != AVERROR(ENOMEM), ErrorCode::kOutOfMemory, "{}: no memory to decode",
          demuxer_.path());
    // A failure to decode (anything but EAGAIN) costs this frame; go on, and at the end stop.
    if (code != AVERROR(EAGAIN)) ++failures_;
    if (draining_) {
      if (code == AVERROR(EAGAIN)) return nullptr;
      continue;
    }
    if (!feed()) return nullptr;
  }
}

const AVFrame* Decoder::fetched() {
  try {
    return hardware_.in_memory(*frame_);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", demuxer_.path(), error.what());
  }
}

bool Decoder::seek(std::int64_t pts) {
  LogSink::Scope scope(log_);
  if (!demuxer_.seek(pts)) return false;
  avcodec_flush_buffers(context_.get());
  draining_ = false;
  packet_waits_ = false;
  first_pts_.reset();
  for (int i = 0; i < kMaxPacketsToKeyFrame; ++i) {
    if (!demuxer_.read(*packet_)) return false;
    if (!(packet_->flags & AV_PKT_FLAG_KEY) || packet_->pts == AV_NOPTS_VALUE) continue;
    if (packet_->pts > pts) return false;
    packet_waits_ = true;
    first_pts_ = packet_->pts;
    return true;
  }
  return false;
}

void Decoder::restart() {
  demuxer_.rewind();
  open();
}

}  // namespace vostrack::video
