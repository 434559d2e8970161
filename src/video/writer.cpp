#include "video/writer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "base/atomic_file.hpp"
#include "video/ffmpeg.hpp"
#include "video/ffmpeg_log.hpp"
#include "video/muxer.hpp"

namespace vostrack::video {
namespace {

constexpr AVRational kTimeBase = {1, 90000};

int even(int size) {
  return size + size % 2;
}

CodecContext new_encoder(const AVCodec& codec, int height, int width, const WriterOptions& options,
                         bool global_header, LogSink& log) {
  CodecContext context(avcodec_alloc_context3(&codec));
  if (!context) return nullptr;
  context->opaque = &log;
  context->height = height;
  context->width = width;
  context->pix_fmt = AV_PIX_FMT_YUV420P;
  context->time_base = kTimeBase;
  context->framerate = av_d2q(options.nominal_fps, 100000);
  context->colorspace = AVCOL_SPC_BT709;
  context->color_primaries = AVCOL_PRI_BT709;
  context->color_trc = AVCOL_TRC_BT709;
  context->color_range = AVCOL_RANGE_MPEG;
  context->chroma_sample_location = AVCHROMA_LOC_LEFT;
  // A key frame every few seconds keeps seeking in the result quick.
  context->gop_size = std::max(1, static_cast<int>(std::lround(4 * options.nominal_fps)));
  context->sample_aspect_ratio = {1, 1};
  if (global_header) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  AVDictionary* settings = nullptr;
  if (std::string_view(codec.name) == "libx264") {
    av_dict_set(&settings, "preset", options.preset.c_str(), 0);
    av_dict_set_int(&settings, "crf", options.crf, 0);
  } else {
    // 0.15 bit per pixel at CRF 20, twice as many for six steps less, as x264 is built.
    const double bits =
        0.15 * height * width * options.nominal_fps * std::exp2((20 - options.crf) / 6.0);
    context->bit_rate = static_cast<std::int64_t>(std::clamp(bits, 1e5, 2e8));
    context->max_b_frames = 0;
  }
  const int opened = avcodec_open2(context.get(), &codec, &settings);
  av_dict_free(&settings);
  return opened >= 0 ? std::move(context) : nullptr;
}

}  // namespace

void WriterOptions::validate() const {
  check(crf >= 0 && crf <= 51, ErrorCode::kInvalidArgument, "crf: {}, want 0 to 51", crf);
  check(std::isfinite(nominal_fps) && nominal_fps >= 0.01 && nominal_fps <= 1000,
        ErrorCode::kInvalidArgument, "nominal_fps: {}, want 0.01 to 1000", nominal_fps);
  check(!preset.empty(), ErrorCode::kInvalidArgument, "preset: empty, want such as veryfast");
}

struct VideoWriter::Impl {
  Impl(const std::string& path, int height, int width, const WriterOptions& options)
      : file(path), height(height), width(width) {
    LogSink::Scope scope(log);
    options.validate();
    check(height > 0 && width > 0 && height <= 16384 && width <= 16384, ErrorCode::kInvalidArgument,
          "{}: a video of {}x{}, want 1 to 16384 each way", path, width, height);
    const std::string suffix = std::filesystem::path(path).extension().string();
    check(suffix == ".mp4" || suffix == ".m4v" || suffix == ".mov", ErrorCode::kInvalidArgument,
          "{}: videos are written as .mp4, .m4v or .mov, got \"{}\"", path, suffix);
    last_duration = std::llround(kTimeBase.den / options.nominal_fps);
    open_muxer(suffix == ".mov" ? "mov" : "mp4");
    open_encoder(options);
    write_header();
    open_scaler();
  }

  void write(const Image& image, double pts_s) {
    LogSink::Scope scope(log);
    check(!finished, ErrorCode::kFailedState, "{}: is finished, no frame can follow", file.path());
    check(image.height == height && image.width == width &&
              image.rgb.size() == std::size_t{3} * height * width,
          ErrorCode::kInvalidArgument, "{}: a frame of {}x{} ({} bytes), want {}x{}", file.path(),
          image.width, image.height, image.rgb.size(), width, height);
    check(std::isfinite(pts_s) && pts_s >= 0 && pts_s < 1e9, ErrorCode::kInvalidArgument,
          "{}: a frame at {} s, want 0 or later", file.path(), pts_s);
    const std::int64_t pts = std::llround(pts_s * kTimeBase.den);
    check(pts > last_pts, ErrorCode::kInvalidArgument,
          "{}: a frame at {} s after one at {} s, want times that advance", file.path(), pts_s,
          static_cast<double>(last_pts) / kTimeBase.den);
    fill_frame(image);
    frame->pts = pts;
    if (last_pts >= 0) last_duration = pts - last_pts;
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

  void open_muxer(const char* format) {
    AVFormatContext* context = nullptr;
    avformat_alloc_output_context2(&context, nullptr, format, ("file:" + file.temporary()).c_str());
    check(context != nullptr, ErrorCode::kUnsupported, "{}: this FFmpeg cannot write {}",
          file.path(), format);
    muxer.reset(context);
    context->opaque = &log;
    const int code = avio_open(&context->pb, context->url, AVIO_FLAG_WRITE);
    check(code >= 0, ErrorCode::kIo, "{}: cannot be created: {}", file.path(), error_text(code));
  }

  void open_encoder(const WriterOptions& options) {
    for (const char* name : {"libx264", "libopenh264", "mpeg4"}) {
      const AVCodec* codec = avcodec_find_encoder_by_name(name);
      if (codec == nullptr) continue;
      const bool global_header = muxer->oformat->flags & AVFMT_GLOBALHEADER;
      encoder = new_encoder(*codec, even(height), even(width), options, global_header, log);
      if (encoder) return;
    }
    fail(ErrorCode::kUnsupported, "{}: no encoder (libx264, libopenh264, mpeg4) takes {}x{}{}",
         file.path(), width, height, log.said());
  }

  void write_header() {
    stream = avformat_new_stream(muxer.get(), nullptr);
    check(
        stream != nullptr && avcodec_parameters_from_context(stream->codecpar, encoder.get()) >= 0,
        ErrorCode::kOutOfMemory, "{}: no memory for a stream", file.path());
    stream->time_base = kTimeBase;
    stream->avg_frame_rate = encoder->framerate;
    AVDictionary* settings = nullptr;
    av_dict_set(&settings, "movflags", "+faststart", 0);
    av_dict_set_int(&settings, "video_track_timescale", kTimeBase.den, 0);
    const int code = avformat_write_header(muxer.get(), &settings);
    av_dict_free(&settings);
    check_written(code);
  }

  void open_scaler() {
    frame->format = AV_PIX_FMT_YUV420P;
    frame->height = padded->height = even(height);
    frame->width = padded->width = even(width);
    padded->format = AV_PIX_FMT_RGB24;
    frame->colorspace = AVCOL_SPC_BT709;
    frame->color_range = AVCOL_RANGE_MPEG;
    scaler.reset(sws_getContext(frame->width, frame->height, AV_PIX_FMT_RGB24, frame->width,
                                frame->height, AV_PIX_FMT_YUV420P, SWS_BICUBIC | SWS_ACCURATE_RND,
                                nullptr, nullptr, nullptr));
    check(scaler && av_frame_get_buffer(frame.get(), 0) >= 0 &&
              av_frame_get_buffer(padded.get(), 0) >= 0,
          ErrorCode::kOutOfMemory, "{}: no memory for frames of {}x{}", file.path(), width, height);
    sws_setColorspaceDetails(scaler.get(), sws_getCoefficients(SWS_CS_DEFAULT), 1,
                             sws_getCoefficients(SWS_CS_ITU709), 0, 0, 1 << 16, 1 << 16);
  }

  void fill_frame(const Image& image) {
    for (int y = 0; y < padded->height; ++y) {
      const std::uint8_t* in = image.rgb.data() + std::size_t{3} * std::min(y, height - 1) * width;
      std::uint8_t* out = padded->data[0] + std::ptrdiff_t{y} * padded->linesize[0];
      std::copy_n(in, std::size_t{3} * width, out);
      if (padded->width > width) std::copy_n(in + 3 * (width - 1), 3, out + 3 * width);
    }
    check(av_frame_make_writable(frame.get()) >= 0, ErrorCode::kOutOfMemory,
          "{}: no memory for a frame", file.path());
    sws_scale(scaler.get(), padded->data, padded->linesize, 0, padded->height, frame->data,
              frame->linesize);
  }

  /// Sends a frame, or nullptr for the end, and writes what is ready.
  void encode(const AVFrame* input) {
    int code = avcodec_send_frame(encoder.get(), input);
    check(code >= 0, ErrorCode::kInternal, "{}: encoding failed: {}{}", file.path(),
          error_text(code), log.said());
    while ((code = avcodec_receive_packet(encoder.get(), packet.get())) >= 0) {
      packet->stream_index = stream->index;
      packet->duration = last_duration;  // counts for the last frame only: no other ends it
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
  ScalerPtr scaler;
  FramePtr padded = new_frame();  ///< RGB of even size
  FramePtr frame = new_frame();
  PacketPtr packet = new_packet();
  std::int64_t last_pts = -1;
  std::int64_t last_duration = 0;
  bool finished = false;
};

VideoWriter::VideoWriter(const std::string& path, int height, int width,
                         const WriterOptions& options)
    : impl_(std::make_unique<Impl>(path, height, width, options)) {}
VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;

void VideoWriter::write(const Image& image, double pts_s) {
  impl_->write(image, pts_s);
}
void VideoWriter::finish() {
  impl_->finish();
}

}  // namespace vostrack::video
