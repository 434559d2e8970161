#include "video/label_video.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/atomic_file.hpp"
#include "video/ffmpeg.hpp"
#include "video/ffmpeg_log.hpp"
#include "video/muxer.hpp"

namespace vostrack::video {
namespace {

constexpr AVRational kTimeBase = {1, 1000};

}  // namespace

struct LabelVideoWriter::Impl {
  Impl(const std::string& path, int height, int width) : file(path), height(height), width(width) {
    LogSink::Scope scope(log);
    check(height > 0 && width > 0 && height <= 16384 && width <= 16384, ErrorCode::kInvalidArgument,
          "{}: a video of {}x{}, want 1 to 16384 each way", path, width, height);
    const std::string suffix = std::filesystem::path(path).extension().string();
    check(suffix == ".mkv", ErrorCode::kInvalidArgument,
          "{}: label videos are written as .mkv, got \"{}\"", path, suffix);
    open_muxer();
    open_encoder();
    stream = avformat_new_stream(muxer.get(), nullptr);
    check(
        stream != nullptr && avcodec_parameters_from_context(stream->codecpar, encoder.get()) >= 0,
        ErrorCode::kOutOfMemory, "{}: no memory for a stream", path);
    stream->time_base = kTimeBase;
    check_written(avformat_write_header(muxer.get(), nullptr));
    frame->format = AV_PIX_FMT_GRAY8;
    frame->height = height;
    frame->width = width;
    frame->color_range = AVCOL_RANGE_JPEG;
    check(av_frame_get_buffer(frame.get(), 0) >= 0, ErrorCode::kOutOfMemory,
          "{}: no memory for frames of {}x{}", path, width, height);
  }

  void open_muxer() {
    AVFormatContext* context = nullptr;
    avformat_alloc_output_context2(&context, nullptr, "matroska",
                                   ("file:" + file.temporary()).c_str());
    check(context != nullptr, ErrorCode::kUnsupported, "{}: this FFmpeg cannot write matroska",
          file.path());
    muxer.reset(context);
    context->opaque = &log;
    const int code = avio_open(&context->pb, context->url, AVIO_FLAG_WRITE);
    check(code >= 0, ErrorCode::kIo, "{}: cannot be created: {}", file.path(), error_text(code));
  }

  void open_encoder() {
    const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_FFV1);
    check(codec != nullptr, ErrorCode::kUnsupported, "{}: this FFmpeg has no encoder for FFV1",
          file.path());
    encoder.reset(avcodec_alloc_context3(codec));
    check(encoder != nullptr, ErrorCode::kOutOfMemory, "{}: no memory for an encoder", file.path());
    encoder->opaque = &log;
    encoder->height = height;
    encoder->width = width;
    encoder->pix_fmt = AV_PIX_FMT_GRAY8;
    encoder->color_range = AVCOL_RANGE_JPEG;
    encoder->time_base = kTimeBase;
    encoder->gop_size = 1;
    encoder->level = 3;  // FFV1 version 3, which carries checksums
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    const int code = avcodec_open2(encoder.get(), codec, nullptr);
    check(code >= 0, ErrorCode::kUnsupported, "{}: the FFV1 encoder does not take {}x{}: {}{}",
          file.path(), width, height, error_text(code), log.said());
  }

  void write(std::span<const std::uint8_t> labels, double pts_s) {
    LogSink::Scope scope(log);
    check(!finished, ErrorCode::kFailedState, "{}: is finished, no frame can follow", file.path());
    check(labels.size() == std::size_t{1} * height * width, ErrorCode::kInvalidArgument,
          "{}: labels of {} bytes, want {} x {}", file.path(), labels.size(), height, width);
    check(std::isfinite(pts_s) && pts_s >= 0 && pts_s < 1e9, ErrorCode::kInvalidArgument,
          "{}: a frame at {} s, want 0 or later", file.path(), pts_s);
    const std::int64_t pts = std::llround(pts_s * kTimeBase.den);
    check(pts > last_pts, ErrorCode::kInvalidArgument,
          "{}: a frame at {} s after one at {} s, want times that advance by 0.001 s", file.path(),
          pts_s, static_cast<double>(last_pts) / kTimeBase.den);
    check(av_frame_make_writable(frame.get()) >= 0, ErrorCode::kOutOfMemory,
          "{}: no memory for a frame", file.path());
    for (int y = 0; y < height; ++y)
      std::copy_n(labels.begin() + std::ptrdiff_t{y} * width, width,
                  frame->data[0] + std::ptrdiff_t{y} * frame->linesize[0]);
    frame->pts = pts;
    encode(frame.get());
    last_pts = pts;
  }

  void finish() {
    LogSink::Scope scope(log);
    if (finished) return;
    check(last_pts >= 0, ErrorCode::kFailedState, "{}: no frame was written", file.path());
    finished = true;
    encode(nullptr);
    int code = av_write_trailer(muxer.get());
    if (code >= 0) code = muxer->pb->error;
    const int closed = avio_closep(&muxer->pb);
    check_written(code >= 0 ? closed : code);
    file.commit();
  }

  /// Sends a frame, or nullptr for the end, and writes what is ready.
  void encode(const AVFrame* input) {
    int code = avcodec_send_frame(encoder.get(), input);
    check(code >= 0, ErrorCode::kInternal, "{}: encoding failed: {}{}", file.path(),
          error_text(code), log.said());
    while ((code = avcodec_receive_packet(encoder.get(), packet.get())) >= 0) {
      packet->stream_index = stream->index;
      av_packet_rescale_ts(packet.get(), kTimeBase, stream->time_base);
      check_written(av_interleaved_write_frame(muxer.get(), packet.get()));
      check_written(muxer->pb->error);
    }
    check(code == AVERROR(EAGAIN) || code == AVERROR_EOF, ErrorCode::kInternal,
          "{}: encoding failed: {}{}", file.path(), error_text(code), log.said());
  }

  void check_written(int code) {
    if (code >= 0) return;
    finished = true;  // What is on the disk cannot be continued.
    fail(ErrorCode::kIo, "{}: writing failed: {}", file.path(), error_text(code));
  }

  LogSink log;       // outlives what writes to it
  PendingFile file;  // removed, if need be, after the muxer has closed it
  int height;
  int width;
  FormatOutput muxer;
  CodecContext encoder;
  AVStream* stream = nullptr;  ///< the muxer's
  FramePtr frame = new_frame();
  PacketPtr packet = new_packet();
  std::int64_t last_pts = -1;
  bool finished = false;
};

LabelVideoWriter::LabelVideoWriter(const std::string& path, int height, int width)
    : impl_(std::make_unique<Impl>(path, height, width)) {}
LabelVideoWriter::~LabelVideoWriter() = default;
LabelVideoWriter::LabelVideoWriter(LabelVideoWriter&&) noexcept = default;
LabelVideoWriter& LabelVideoWriter::operator=(LabelVideoWriter&&) noexcept = default;

void LabelVideoWriter::write(std::span<const std::uint8_t> labels, double pts_s) {
  impl_->write(labels, pts_s);
}
void LabelVideoWriter::finish() {
  impl_->finish();
}

}  // namespace vostrack::video
