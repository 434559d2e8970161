#include "video/writer.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "video/encoded_file.hpp"
#include "video/to_yuv.hpp"

namespace vostrack::video {
namespace {

constexpr AVRational kTick = {1, 90000};

FileFormat format_of(const std::string& path) {
  const std::string suffix = std::filesystem::path(path).extension().string();
  check(suffix == ".mp4" || suffix == ".m4v" || suffix == ".mov", ErrorCode::kInvalidArgument,
        "{}: videos are written as .mp4, .m4v or .mov, got \"{}\"", path, suffix);
  return {.container = suffix == ".mov" ? "mov" : "mp4",
          .tick = kTick,
          .settings = {{"movflags", "+faststart"},
                       {"video_track_timescale", std::to_string(kTick.den)}}};
}

void describe(AVCodecContext& encoder, const ToYuv& pictures, const VideoWriterOptions& options) {
  encoder.height = pictures.height();
  encoder.width = pictures.width();
  encoder.pix_fmt = AV_PIX_FMT_YUV420P;
  encoder.framerate = av_d2q(options.nominal_fps, 100000);
  encoder.colorspace = AVCOL_SPC_BT709;
  encoder.color_primaries = AVCOL_PRI_BT709;
  encoder.color_trc = AVCOL_TRC_BT709;
  encoder.color_range = AVCOL_RANGE_MPEG;
  encoder.chroma_sample_location = AVCHROMA_LOC_LEFT;
  // A key frame every few seconds keeps seeking in the result quick.
  encoder.gop_size = std::max(1, static_cast<int>(std::lround(4 * options.nominal_fps)));
}

/// Settings of x264; other encoders get a bit rate instead.
Settings quality(AVCodecContext& encoder, const VideoWriterOptions& options) {
  if (std::string_view(encoder.codec->name) == "libx264")
    return {{"preset", options.preset}, {"crf", std::to_string(options.crf)}};
  // 0.15 bit per pixel at CRF 20, twice as many for six steps less, as x264 is built.
  const double bits = 0.15 * encoder.height * encoder.width * options.nominal_fps *
                      std::exp2((20 - options.crf) / 6.0);
  encoder.bit_rate = static_cast<std::int64_t>(std::clamp(bits, 1e5, 2e8));
  encoder.max_b_frames = 0;
  return {};
}

/// The first encoder that exists and takes the size.
CodecContext best_encoder(EncodedFile& file, const ToYuv& pictures,
                          const VideoWriterOptions& options) {
  for (const char* name : {"libx264", "libopenh264", "mpeg4"}) {
    const AVCodec* codec = avcodec_find_encoder_by_name(name);
    if (codec == nullptr) continue;
    CodecContext encoder = file.new_encoder(*codec);
    describe(*encoder, pictures, options);
    if (file.try_open(*encoder, quality(*encoder, options))) return encoder;
  }
  fail(ErrorCode::kUnsupported, "{}: no encoder (libx264, libopenh264, mpeg4) takes {}x{}{}",
       file.path(), pictures.width(), pictures.height(), file.log().said());
}

const VideoWriterOptions& validated(const VideoWriterOptions& options) {
  check(options.crf >= 0 && options.crf <= 51, ErrorCode::kInvalidArgument, "crf: {}, want 0 to 51",
        options.crf);
  check(std::isfinite(options.nominal_fps) && options.nominal_fps >= 0.01 &&
            options.nominal_fps <= 1000,
        ErrorCode::kInvalidArgument, "nominal_fps: {}, want 0.01 to 1000", options.nominal_fps);
  check(!options.preset.empty(), ErrorCode::kInvalidArgument,
        "preset: empty, want such as veryfast");
  return options;
}

}  // namespace

struct VideoWriter::Impl {
  Impl(const std::string& path, int height, int width, const VideoWriterOptions& options)
      : file(path, height, width, format_of(path)),
        height(height),
        width(width),
        pictures(height, width, 3, {.format = AV_PIX_FMT_YUV420P, .even = true}) {
    file.start(best_encoder(file, pictures, validated(options)), 1 / options.nominal_fps,
               options.sound);
  }

  void write(const Image& image, double pts_s) {
    check(image.height == height && image.width == width &&
              image.rgb.size() == std::size_t{3} * height * width,
          ErrorCode::kInvalidArgument, "{}: a frame of {}x{} ({} bytes), want {}x{}", file.path(),
          image.width, image.height, image.rgb.size(), width, height);
    const std::int64_t tick = file.tick_of(pts_s);
    AVFrame& frame = pictures.convert(image.rgb.data());
    frame.pts = tick;
    file.write(frame);
  }

  EncodedFile file;
  int height;
  int width;
  ToYuv pictures;
};

VideoWriter::VideoWriter(const std::string& path, int height, int width,
                         const VideoWriterOptions& options)
    : impl_(std::make_unique<Impl>(path, height, width, options)) {}
VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;

void VideoWriter::write(const Image& image, double pts_s) {
  impl_->write(image, pts_s);
}
void VideoWriter::finish() {
  impl_->file.finish();
}

}  // namespace vostrack::video
