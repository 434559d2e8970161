#include "video/label_video.hpp"

#include <algorithm>
#include <filesystem>

#include "video/encoded_file.hpp"

namespace vostrack::video {
namespace {

FileFormat format_of(const std::string& path) {
  const std::string suffix = std::filesystem::path(path).extension().string();
  check(suffix == ".mkv", ErrorCode::kInvalidArgument,
        "{}: label videos are written as .mkv, got \"{}\"", path, suffix);
  return {.container = "matroska"};
}

CodecContext open_encoder(EncodedFile& file) {
  CodecContext encoder = file.new_encoder(file.find_encoder({"ffv1"}));
  encoder->pix_fmt = AV_PIX_FMT_GRAY8;
  encoder->color_range = AVCOL_RANGE_JPEG;
  encoder->gop_size = 1;
  // FFV1 version 3 carries checksums, but FFmpeg cuts its pictures into slices, and of pictures as
  // narrow as the slices are many it loses pixels without a word. Version 1 has no slices.
  constexpr int kNarrow = 16;
  encoder->level = std::min(encoder->height, encoder->width) < kNarrow ? 1 : 3;
  file.open(*encoder, {});
  return encoder;
}

}  // namespace

struct LabelVideoWriter::Impl {
  Impl(const std::string& path, int height, int width)
      : file(path, height, width, format_of(path)), height(height), width(width) {
    constexpr double kLastFrame_s = 0.04;
    file.start(open_encoder(file), kLastFrame_s);
    frame->format = AV_PIX_FMT_GRAY8;
    frame->height = height;
    frame->width = width;
    frame->color_range = AVCOL_RANGE_JPEG;
    check(av_frame_get_buffer(frame.get(), 0) >= 0, ErrorCode::kOutOfMemory,
          "{}: no memory for frames of {}x{}", path, width, height);
  }

  void write(std::span<const std::uint8_t> labels, double pts_s) {
    check(labels.size() == std::size_t{1} * height * width, ErrorCode::kInvalidArgument,
          "{}: labels of {} bytes, want {} x {}", file.path(), labels.size(), height, width);
    const std::int64_t tick = file.tick_of(pts_s);
    check(av_frame_make_writable(frame.get()) >= 0, ErrorCode::kOutOfMemory,
          "{}: no memory for a frame", file.path());
    for (int y = 0; y < height; ++y)
      std::copy_n(labels.begin() + std::ptrdiff_t{y} * width, width,
                  frame->data[0] + std::ptrdiff_t{y} * frame->linesize[0]);
    frame->pts = tick;
    file.write(*frame);
  }

  EncodedFile file;
  int height;
  int width;
  FramePtr frame = new_frame();
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
  impl_->file.finish();
}

}  // namespace vostrack::video
