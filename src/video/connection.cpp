#include "video/connection.hpp"

#include <thread>

#include "base/check.hpp"
#include "video/camera.hpp"

namespace vostrack::video {
namespace {

constexpr const char* kProtocols = "http,https,httpproxy,tcp,tls,udp,rtp,rtmp,rtmps,srt,crypto";
/// More than any decoder holds back.
constexpr std::size_t kMaxArrivals = 64;
constexpr std::chrono::milliseconds kPollPause{1};

}  // namespace

Connection::Connection(const std::string& address, const LiveOptions& options,
                       const std::atomic<bool>& cancelled)
    : address_(address),
      options_(options),
      cancelled_(cancelled),
      hardware_(options.decode.hardware, address),
      last_arrival_(Clock::now()) {
  LogSink::Scope scope(log_);
  open();
  open_decoder();
}

int Connection::must_stop(void* self) {
  const auto* connection = static_cast<const Connection*>(self);
  return connection->cancelled_ || Clock::now() > connection->deadline_;
}

void Connection::limit(double seconds) {
  deadline_ = Clock::now() +
              std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void Connection::fail_with(int code, const char* what) const {
  check(!cancelled_, ErrorCode::kCancelled, "{}: cancelled", address_);
  check(Clock::now() <= deadline_, ErrorCode::kIo, "{}: {}: the peer says nothing for too long",
        address_, what);
  fail(code == AVERROR_INVALIDDATA ? ErrorCode::kDecode : ErrorCode::kIo, "{}: {}: {}{}", address_,
       what, error_text(code), log_.said());
}

void Connection::open() {
  limit(options_.open_timeout_s);
  const bool by_path = options_.format.empty() && is_camera_path(address_);
  const std::string name = by_path ? camera_format() : options_.format;
  const AVInputFormat* input = name.empty() ? nullptr : find_input(address_, name);
  const bool device = is_device(input);
  check(device || !options_.camera.is_set(), ErrorCode::kInvalidArgument,
        "{}: is no camera, want no camera options", address_);
  AVFormatContext* context = avformat_alloc_context();
  check(context != nullptr, ErrorCode::kOutOfMemory, "{}: no memory to open it", address_);
  context->opaque = &log_;
  context->interrupt_callback = {must_stop, this};
  if (device) context->flags |= AVFMT_FLAG_NONBLOCK;  // waiting for a camera cannot be interrupted
  AVDictionary* settings = nullptr;
  for (const auto& [key, value] : options_.settings)
    av_dict_set(&settings, key.c_str(), value.c_str(), 0);
  for (const auto& [key, value] : camera_settings(options_.camera, name))
    av_dict_set(&settings, key.c_str(), value.c_str(), 0);
  av_dict_set(&settings, "protocol_whitelist", kProtocols, 0);
  const int opened = avformat_open_input(&context, address_.c_str(), input, &settings);
  const Dictionary not_taken(settings);
  if (opened < 0 && device && !must_stop(this)) fail_camera(address_, opened, log_.said());
  if (opened < 0) fail_with(opened, "no connection");
  format_.reset(context);
  if (!device) find_streams();
  find_video();
  if (device) check_camera(address_, options_.camera, not_taken.get(), *stream().codecpar);
}

void Connection::find_streams() {
  const int probed = avformat_find_stream_info(format_.get(), nullptr);
  if (probed < 0) fail_with(probed, "its streams cannot be read");
}

void Connection::find_video() {
  AVFormatContext* context = format_.get();
  stream_ = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (stream_ < 0 && must_stop(this)) fail_with(AVERROR_EXIT, "its streams cannot be read");
  check(stream_ >= 0, ErrorCode::kDecode, "{}: holds no video", address_);
  for (unsigned i = 0; i < context->nb_streams; ++i)
    if (static_cast<int>(i) != stream_) context->streams[i]->discard = AVDISCARD_ALL;
}

void Connection::open_decoder() {
  const AVCodecParameters& parameters = *stream().codecpar;
  const AVCodec* codec = avcodec_find_decoder(parameters.codec_id);
  check(codec != nullptr, ErrorCode::kUnsupported, "{}: this FFmpeg has no decoder for {}",
        address_, avcodec_get_name(parameters.codec_id));
  decoder_.reset(avcodec_alloc_context3(codec));
  check(decoder_ != nullptr, ErrorCode::kOutOfMemory, "{}: no memory for a decoder", address_);
  int code = avcodec_parameters_to_context(decoder_.get(), &parameters);
  decoder_->opaque = &log_;
  decoder_->pkt_timebase = stream().time_base;
  decoder_->thread_count = options_.decode.threads;
  decoder_->thread_type = FF_THREAD_SLICE;  // threads per frame would each hold one back
  decoder_->flags |= AV_CODEC_FLAG_LOW_DELAY;
  decoder_->max_pixels = std::int64_t{1} << 28;
  hardware_.attach(*decoder_);
  if (code >= 0) code = avcodec_open2(decoder_.get(), codec, nullptr);
  check(code >= 0, ErrorCode::kDecode, "{}: the {} decoder does not start: {}{}", address_,
        codec->name, error_text(code), log_.said());
}

const AVFrame* Connection::next() {
  LogSink::Scope scope(log_);
  limit(options_.read_timeout_s);
  while (true) {
    const int got = avcodec_receive_frame(decoder_.get(), frame_.get());
    if (got == 0) return fetched();
    if (got == AVERROR_EOF || draining_) return nullptr;
    if (got != AVERROR(EAGAIN)) ++undecodable_;
    av_packet_unref(packet_.get());
    // Devices do not ask whether to stop.
    check(!cancelled_, ErrorCode::kCancelled, "{}: cancelled", address_);
    const int read = av_read_frame(format_.get(), packet_.get());
    if (read == AVERROR(EAGAIN) && !must_stop(this)) {
      std::this_thread::sleep_for(kPollPause);  // a camera has no frame yet
      continue;
    }
    // An interrupted read may claim to be at the end.
    if (read < 0 && (read != AVERROR_EOF || must_stop(this)))
      fail_with(read, "the connection broke");
    if (read == AVERROR_EOF) {
      draining_ = true;
      avcodec_send_packet(decoder_.get(), nullptr);
      continue;
    }
    if (packet_->stream_index != stream_) continue;
    last_arrival_ = Clock::now();
    limit(options_.read_timeout_s);
    if (packet_->pts != AV_NOPTS_VALUE) {
      arrivals_[packet_->pts] = last_arrival_;
      if (arrivals_.size() > kMaxArrivals) arrivals_.erase(arrivals_.begin());
    }
    const int sent = avcodec_send_packet(decoder_.get(), packet_.get());
    if (sent < 0 && sent != AVERROR(EAGAIN)) ++undecodable_;
  }
}

const AVFrame* Connection::fetched() {
  try {
    return hardware_.in_memory(*frame_);
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", address_, error.what());
  }
}

Clock::time_point Connection::arrival_of(const AVFrame& frame) const {
  const auto found = arrivals_.find(frame.pts);
  return found != arrivals_.end() ? found->second : last_arrival_;
}

}  // namespace vostrack::video
