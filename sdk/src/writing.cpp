#include "vostrack/writing.hpp"

#include <utility>

#include "video/cut_out.hpp"
#include "video/label_video.hpp"
#include "video/picture_io.hpp"
#include "video/raw_writer.hpp"
#include "video/writer.hpp"

namespace vostrack {

struct VideoWriter::Impl {
  video::VideoWriter writer;
};

VideoWriter::VideoWriter(const std::string& path, int height, int width,
                         const VideoWriterOptions& options)
    : impl_(new Impl{video::VideoWriter(path, height, width, options)}) {}
VideoWriter::~VideoWriter() = default;
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;

void VideoWriter::write(const Image& image, double pts_s) {
  impl_->writer.write(image, pts_s);
}
void VideoWriter::finish() {
  impl_->writer.finish();
}

struct LabelVideoWriter::Impl {
  video::LabelVideoWriter writer;
};

LabelVideoWriter::LabelVideoWriter(const std::string& path, int height, int width)
    : impl_(new Impl{video::LabelVideoWriter(path, height, width)}) {}
LabelVideoWriter::~LabelVideoWriter() = default;
LabelVideoWriter::LabelVideoWriter(LabelVideoWriter&&) noexcept = default;
LabelVideoWriter& LabelVideoWriter::operator=(LabelVideoWriter&&) noexcept = default;

void LabelVideoWriter::write(const std::vector<std::uint8_t>& labels, double pts_s) {
  impl_->writer.write(labels, pts_s);
}
void LabelVideoWriter::finish() {
  impl_->writer.finish();
}

struct CutOutWriter::Impl {
  video::CutOutWriter writer;
};

CutOutWriter::CutOutWriter(const std::string& path, int height, int width,
                           const CutOutOptions& options)
    : impl_(new Impl{video::CutOutWriter(path, height, width, options)}) {}
CutOutWriter::~CutOutWriter() = default;
CutOutWriter::CutOutWriter(CutOutWriter&&) noexcept = default;
CutOutWriter& CutOutWriter::operator=(CutOutWriter&&) noexcept = default;

void CutOutWriter::write(const RgbaImage& image, double pts_s) {
  impl_->writer.write(image, pts_s);
}
void CutOutWriter::finish() {
  impl_->writer.finish();
}

struct PipeWriter::Impl {
  video::RawWriter writer;
};

PipeWriter::PipeWriter(int file, std::string name, PipeFormat format, int height, int width,
                       double fps)
    : impl_(new Impl{video::RawWriter(file, std::move(name), format, height, width, fps)}) {}
PipeWriter::~PipeWriter() = default;
PipeWriter::PipeWriter(PipeWriter&&) noexcept = default;
PipeWriter& PipeWriter::operator=(PipeWriter&&) noexcept = default;

void PipeWriter::write(const Image& image) {
  impl_->writer.write(image);
}
void PipeWriter::write(const std::vector<std::uint8_t>& grey) {
  impl_->writer.write(grey);
}

void write_image(const std::string& path, const Image& image) {
  video::write_picture(path, image);
}
void write_image(const std::string& path, const RgbaImage& image) {
  video::write_picture(path, image);
}
void write_mask(const std::string& path, const Mask& mask) {
  video::write_mask_picture(path, mask);
}

}  // namespace vostrack
