#include <cmath>
#include <filesystem>
#include <optional>

#include "video/cut_out.hpp"
#include "video/encoded_file.hpp"
#include "video/picture_folder.hpp"
#include "video/to_yuv.hpp"

namespace vostrack::video {

struct CutOutWriter::Impl {
  Impl(const std::string& path, int height, int width) : path(path), height(height), width(width) {}
  virtual ~Impl() = default;
  virtual void write(const RgbaImage& image, double pts_s) = 0;
  virtual void finish() = 0;

  std::string path;
  int height;
  int width;
};

namespace {

/// The two ways to put opacity into a video.
struct Codec {
  const char* encoder;
  FileFormat file;
  AVPixelFormat format;
  Settings settings;
};

Codec prores() {
  return {.encoder = "prores_ks",
          .file = {.container = "mov",
                   .tick = {1, 90000},
                   .settings = {{"video_track_timescale", "90000"}}},
          .format = AV_PIX_FMT_YUVA444P10,
          .settings = {{"profile", "4444"}, {"alpha_bits", "16"}, {"vendor", "apl0"}}};
}

Codec vp9(const CutOutOptions& options) {
  return {.encoder = "libvpx-vp9",
          .file = {.container = "webm", .tick = {1, 1000}, .settings = {}},
          .format = AV_PIX_FMT_YUVA420P,
          // Colours and opacity are two streams, of which hidden frames would come at different
          // times.
          .settings = {{"crf", std::to_string(options.crf)},
                       {"b", "0"},
                       {"deadline", "good"},
                       {"cpu-used", "5"},
                       {"row-mt", "1"},
                       {"auto-alt-ref", "0"},
                       {"lag-in-frames", "0"}}};
}

class VideoCutOuts final : public CutOutWriter::Impl {
 public:
  VideoCutOuts(const std::string& path, int height, int width, const Codec& codec,
               const CutOutOptions& options)
      : Impl(path, height, width),
        file_(path, height, width, codec.file),
        pictures_(height, width, 4, {.format = codec.format}) {
    CodecContext encoder = file_.new_encoder(file_.find_encoder({codec.encoder}));
    encoder->pix_fmt = codec.format;
    encoder->framerate = av_d2q(options.nominal_fps, 100000);
    encoder->gop_size = std::max(1, static_cast<int>(std::lround(4 * options.nominal_fps)));
    encoder->colorspace = AVCOL_SPC_BT709;
    encoder->color_primaries = AVCOL_PRI_BT709;
    encoder->color_trc = AVCOL_TRC_BT709;
    encoder->color_range = AVCOL_RANGE_MPEG;
    file_.open(*encoder, codec.settings);
    file_.start(std::move(encoder), 1 / options.nominal_fps);
  }

  void write(const RgbaImage& image, double pts_s) override {
    const std::int64_t tick = file_.tick_of(pts_s);
    AVFrame& frame = pictures_.convert(image.rgba.data());
    fill_opacity(frame, image);
    frame.pts = tick;
    file_.write(frame);
  }

  void finish() override { file_.finish(); }

 private:
  /// Opacity is always of full range; FFmpeg's own conversion would leave 10 bits short of opaque.
  static void fill_opacity(AVFrame& frame, const RgbaImage& image) {
    const bool deep = frame.format == AV_PIX_FMT_YUVA444P10;
    for (int y = 0; y < image.height; ++y) {
      const std::uint8_t* in = image.rgba.data() + std::ptrdiff_t{4} * y * image.width + 3;
      std::uint8_t* row = frame.data[3] + std::ptrdiff_t{y} * frame.linesize[3];
      auto* deep_row = reinterpret_cast<std::uint16_t*>(row);
      for (int x = 0; x < image.width; ++x) {
        const int opacity = in[4 * x];
        if (deep)
          deep_row[x] = static_cast<std::uint16_t>((opacity * 1023 + 127) / 255);
        else
          row[x] = static_cast<std::uint8_t>(opacity);
      }
    }
  }

  EncodedFile file_;
  ToYuv pictures_;
};

class FolderCutOuts final : public CutOutWriter::Impl {
 public:
  FolderCutOuts(const std::string& path, int height, int width, const CutOutOptions& options)
      : Impl(path, height, width), folder_(path, {.overwrite = options.overwrite}) {}

  void write(const RgbaImage& image, double) override {
    check(!finished_, ErrorCode::kFailedState, "{}: is finished, no frame can follow", path);
    folder_.write(image);
  }

  void finish() override {
    check(folder_.count() > 0, ErrorCode::kFailedState, "{}: no frame was written", path);
    finished_ = true;
  }

 private:
  PictureFolderWriter folder_;
  bool finished_ = false;
};

std::unique_ptr<CutOutWriter::Impl> open(const std::string& path, int height, int width,
                                         const CutOutOptions& options) {
  check(options.crf >= 0 && options.crf <= 63, ErrorCode::kInvalidArgument, "crf: {}, want 0 to 63",
        options.crf);
  check(std::isfinite(options.nominal_fps) && options.nominal_fps >= 0.01 &&
            options.nominal_fps <= 1000,
        ErrorCode::kInvalidArgument, "nominal_fps: {}, want 0.01 to 1000", options.nominal_fps);
  check(height > 0 && width > 0, ErrorCode::kInvalidArgument, "{}: pictures of {}x{}", path, width,
        height);
  const std::string suffix = std::filesystem::path(path).extension().string();
  if (suffix == ".mov")
    return std::make_unique<VideoCutOuts>(path, height, width, prores(), options);
  if (suffix == ".webm")
    return std::make_unique<VideoCutOuts>(path, height, width, vp9(options), options);
  check(suffix.empty(), ErrorCode::kInvalidArgument,
        "{}: cut-outs are written as .mov, .webm or, without a suffix, as a folder of PNG files, "
        "got \"{}\"",
        path, suffix);
  return std::make_unique<FolderCutOuts>(path, height, width, options);
}

}  // namespace

CutOutWriter::CutOutWriter(const std::string& path, int height, int width,
                           const CutOutOptions& options)
    : impl_(open(path, height, width, options)) {}
CutOutWriter::~CutOutWriter() = default;
CutOutWriter::CutOutWriter(CutOutWriter&&) noexcept = default;
CutOutWriter& CutOutWriter::operator=(CutOutWriter&&) noexcept = default;

void CutOutWriter::write(const RgbaImage& image, double pts_s) {
  check(image.height == impl_->height && image.width == impl_->width &&
            image.rgba.size() == std::size_t{4} * image.height * image.width,
        ErrorCode::kInvalidArgument, "{}: a frame of {}x{} ({} bytes), want {}x{}", impl_->path,
        image.width, image.height, image.rgba.size(), impl_->width, impl_->height);
  impl_->write(image, pts_s);
}
void CutOutWriter::finish() {
  impl_->finish();
}

}  // namespace vostrack::video
