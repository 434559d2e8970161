#include "video/encoded_file.hpp"

#include <algorithm>
#include <cmath>

namespace vostrack::video {
namespace {

constexpr int kMaxSide = 16384;

/// FFmpeg's form of settings, which takes away what it has understood.
class EncoderSettings {
 public:
  explicit EncoderSettings(const Settings& settings) {
    for (const auto& [name, value] : settings)
      av_dict_set(&handle_, name.c_str(), value.c_str(), 0);
  }
  ~EncoderSettings() { av_dict_free(&handle_); }
  EncoderSettings(const EncoderSettings&) = delete;
  EncoderSettings& operator=(const EncoderSettings&) = delete;
  AVDictionary** get() noexcept { return &handle_; }

 private:
  AVDictionary* handle_ = nullptr;
};

std::string joined(std::initializer_list<const char*> names) {
  std::string text;
  for (const char* name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace

EncodedFile::EncodedFile(const std::string& path, int height, int width, FileFormat format)
    : file_(path), format_(std::move(format)), height_(height), width_(width) {
  LogSink::Scope scope(log_);
  check(height > 0 && width > 0 && height <= kMaxSide && width <= kMaxSide,
        ErrorCode::kInvalidArgument, "{}: a video of {}x{}, want 1 to {} each way", path, width,
        height, kMaxSide);
  open_muxer();
}

EncodedFile::~EncodedFile() = default;

void EncodedFile::open_muxer() {
  AVFormatContext* context = nullptr;
  avformat_alloc_output_context2(&context, nullptr, format_.container,
                                 ("file:" + file_.temporary()).c_str());
  check(context != nullptr, ErrorCode::kUnsupported, "{}: this FFmpeg cannot write {}", path(),
        format_.container);
  muxer_.reset(context);
  context->opaque = &log_;
  const int code = avio_open(&context->pb, context->url, AVIO_FLAG_WRITE);
  check(code >= 0, ErrorCode::kIo, "{}: cannot be created: {}", path(), error_text(code));
}

const AVCodec& EncodedFile::find_encoder(std::initializer_list<const char*> names) const {
  for (const char* name : names)
    if (const AVCodec* codec = avcodec_find_encoder_by_name(name)) return *codec;
  fail(ErrorCode::kUnsupported, "{}: this FFmpeg lacks the encoder {}", path(), joined(names));
}

CodecContext EncodedFile::new_encoder(const AVCodec& codec) {
  CodecContext encoder(avcodec_alloc_context3(&codec));
  check(encoder != nullptr, ErrorCode::kOutOfMemory, "{}: no memory for an encoder", path());
  encoder->opaque = &log_;
  encoder->height = height_;
  encoder->width = width_;
  encoder->time_base = format_.tick;
  encoder->sample_aspect_ratio = {1, 1};
  if (muxer_->oformat->flags & AVFMT_GLOBALHEADER) encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  return encoder;
}

bool EncodedFile::try_open(AVCodecContext& encoder, const Settings& settings) {
  LogSink::Scope scope(log_);
  EncoderSettings dictionary(settings);
  return avcodec_open2(&encoder, encoder.codec, dictionary.get()) >= 0;
}

void EncodedFile::open(AVCodecContext& encoder, const Settings& settings) {
  const AVCodec& codec = *encoder.codec;
  check(try_open(encoder, settings), ErrorCode::kUnsupported,
        "{}: the encoder {} does not take {}x{}{}", path(), codec.name, width_, height_,
        log_.said());
}

AVStream& EncodedFile::new_stream() {
  AVStream* stream = avformat_new_stream(muxer_.get(), nullptr);
  check(stream != nullptr, ErrorCode::kOutOfMemory, "{}: no memory for a stream", path());
  return *stream;
}

void EncodedFile::start(CodecContext encoder, double frame_s,
                        const std::optional<SoundSource>& sound) {
  LogSink::Scope scope(log_);
  encoder_ = std::move(encoder);
  last_duration_ = std::llround(frame_s / av_q2d(format_.tick));
  stream_ = &new_stream();
  check(avcodec_parameters_from_context(stream_->codecpar, encoder_.get()) >= 0,
        ErrorCode::kOutOfMemory, "{}: no memory for a stream", path());
  stream_->time_base = format_.tick;
  stream_->avg_frame_rate = encoder_->framerate;
  if (sound) add_sound(*sound);
  EncoderSettings dictionary(format_.settings);
  check_written(avformat_write_header(muxer_.get(), dictionary.get()));
}

void EncodedFile::add_sound(const SoundSource& source) {
  sound_ = std::make_unique<SoundReader>(source, log_);
  const AVCodecParameters& codec = *sound_->stream().codecpar;
  check(avformat_query_codec(muxer_->oformat, codec.codec_id, FF_COMPLIANCE_NORMAL) == 1,
        ErrorCode::kUnsupported,
        "{}: {} cannot hold the {} sound of {}; write a .mov, or convert the sound to AAC first",
        path(), muxer_->oformat->name, avcodec_get_name(codec.codec_id), source.path);
  sound_stream_ = &new_stream();
  check(avcodec_parameters_copy(sound_stream_->codecpar, &codec) >= 0, ErrorCode::kOutOfMemory,
        "{}: no memory for a stream", path());
  sound_stream_->codecpar->codec_tag = 0;  // the new container has its own
  sound_stream_->time_base = {1, std::max(1, codec.sample_rate)};
}

std::int64_t EncodedFile::tick_of(double pts_s) {
  check(!finished_, ErrorCode::kFailedState, "{}: is finished, no frame can follow", path());
  check(std::isfinite(pts_s) && pts_s >= 0 && pts_s < 1e9, ErrorCode::kInvalidArgument,
        "{}: a frame at {} s, want 0 or later", path(), pts_s);
  check(pts_s >= last_pts_s_, ErrorCode::kInvalidArgument,
        "{}: a frame at {} s after one at {} s, want times that never go back", path(), pts_s,
        last_pts_s_);
  next_pts_s_ = pts_s;
  next_tick_ = std::max(std::llround(pts_s / av_q2d(format_.tick)), last_tick_ + 1LL);
  return next_tick_;
}

void EncodedFile::write(const AVFrame& frame) {
  LogSink::Scope scope(log_);
  VOSTRACK_ASSERT(frame.pts == next_tick_ && frame.pts > last_tick_);
  if (last_tick_ >= 0) last_duration_ = frame.pts - last_tick_;
  encode(&frame);
  last_tick_ = frame.pts;
  last_pts_s_ = next_pts_s_;
}

void EncodedFile::finish() {
  LogSink::Scope scope(log_);
  if (finished_) return;
  check(last_tick_ >= 0, ErrorCode::kFailedState, "{}: no frame was written", path());
  finished_ = true;
  encode(nullptr);
  write_sound(static_cast<double>(last_tick_ + last_duration_) * av_q2d(format_.tick));
  int code = av_write_trailer(muxer_.get());
  if (code >= 0) code = muxer_->pb->error;
  const int closed = avio_closep(&muxer_->pb);
  check_written(code >= 0 ? closed : code);
  file_.commit();
}

/// Sends a frame, or nullptr for the end, and writes what is ready.
void EncodedFile::encode(const AVFrame* frame) {
  int code = avcodec_send_frame(encoder_.get(), frame);
  check(code >= 0, ErrorCode::kInternal, "{}: encoding failed: {}{}", path(), error_text(code),
        log_.said());
  while ((code = avcodec_receive_packet(encoder_.get(), packet_.get())) >= 0) {
    packet_->stream_index = stream_->index;
    packet_->duration = last_duration_;  // counts for the last frame only: no other ends it
    write_sound(static_cast<double>(packet_->dts) * av_q2d(format_.tick));
    av_packet_rescale_ts(packet_.get(), format_.tick, stream_->time_base);
    check_written(av_interleaved_write_frame(muxer_.get(), packet_.get()));
    check_written(muxer_->pb->error);
  }
  check(code == AVERROR(EAGAIN) || code == AVERROR_EOF, ErrorCode::kInternal,
        "{}: encoding failed: {}{}", path(), error_text(code), log_.said());
}

/// Writes the sound before a time, so that a player finds both streams' packets side by side. A
/// packet that does not advance, or is damaged so that the container refuses it, is left out.
void EncodedFile::write_sound(double until_s) {
  if (!sound_) return;
  while (AVPacket* packet = sound_->next_before(until_s)) {
    packet->stream_index = sound_stream_->index;
    av_packet_rescale_ts(packet, sound_->stream().time_base, sound_stream_->time_base);
    if (packet->dts <= last_sound_dts_) continue;
    last_sound_dts_ = packet->dts;
    const int code = av_interleaved_write_frame(muxer_.get(), packet);
    if (code != AVERROR_INVALIDDATA) check_written(code);
    check_written(muxer_->pb->error);
  }
}

void EncodedFile::check_written(int code) {
  if (code >= 0) return;
  finished_ = true;  // What is on the disk cannot be continued.
  fail(ErrorCode::kIo, "{}: writing failed: {}{}", path(), error_text(code), log_.said());
}

}  // namespace vostrack::video
