#include "video/raw_writer.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>

#include "base/check.hpp"

namespace vostrack::video {
namespace {

constexpr int kMaxSide = 16384;

/// While it lives, writing into a closed pipe fails with EPIPE on this thread and sends no signal.
/// The program's own handling of SIGPIPE, and a SIGPIPE from elsewhere, are left as they were.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutPipeSignal() {
    const timespec now{};
    while (!was_pending_ && ::sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutPipeSignal(const WithoutPipeSignal&) = delete;
  WithoutPipeSignal& operator=(const WithoutPipeSignal&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

/// Writes everything; 0, or the error.
int write_all(int file, std::span<const std::uint8_t> bytes) {
  WithoutPipeSignal guard;
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd ready{file, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

void append(std::vector<std::uint8_t>& bytes, const std::string& text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
}

}  // namespace

RawWriter::RawWriter(int file, std::string name, PipeFormat format, int height, int width,
                     double fps)
    : file_(file),
      name_(std::move(name)),
      format_(format),
      height_(height),
      width_(width),
      fps_(fps) {
  check(height > 0 && width > 0 && height <= kMaxSide && width <= kMaxSide,
        ErrorCode::kInvalidArgument, "{}: frames of {}x{}, want 1 to {} each way", name_, width,
        height, kMaxSide);
  check(std::isfinite(fps) && fps >= 0.01 && fps <= 1000, ErrorCode::kInvalidArgument,
        "{}: {} frames a second, want 0.01 to 1000", name_, fps);
  if (format == PipeFormat::kY4m)
    yuv_ = std::make_unique<ToYuv>(
        height, width, 3,
        YuvLayout{.format = AV_PIX_FMT_YUV420P, .matrix = SWS_CS_ITU601, .even = false});
}

void RawWriter::write(const Image& image) {
  check_open();
  check(format_ != PipeFormat::kGray8, ErrorCode::kInvalidArgument,
        "{}: a frame in colour, want one byte a pixel", name_);
  check(image.height == height_ && image.width == width_ &&
            image.rgb.size() == std::size_t{3} * height_ * width_,
        ErrorCode::kInvalidArgument, "{}: a frame of {}x{} ({} bytes), want {}x{}", name_,
        image.width, image.height, image.rgb.size(), width_, height_);
  if (format_ == PipeFormat::kY4m)
    put(y4m_frame(image));
  else
    put(image.rgb);
}

void RawWriter::write(std::span<const std::uint8_t> grey) {
  check_open();
  check(format_ == PipeFormat::kGray8, ErrorCode::kInvalidArgument,
        "{}: a frame of one byte a pixel, want one in colour", name_);
  check(grey.size() == std::size_t{1} * height_ * width_, ErrorCode::kInvalidArgument,
        "{}: a frame of {} bytes, want {} x {}", name_, grey.size(), height_, width_);
  put(grey);
}

void RawWriter::check_open() const {
  check(!broken_, ErrorCode::kFailedState, "{}: nothing can follow after an error", name_);
}

void RawWriter::put(std::span<const std::uint8_t> bytes) {
  const int error = write_all(file_, bytes);
  broken_ = error != 0;
  check(error != EPIPE, ErrorCode::kIo, "{}: its reader closed it after {} frames", name_, count_);
  check(error == 0, ErrorCode::kIo, "{}: writing failed after {} frames: {}", name_, count_,
        std::strerror(error));
  ++count_;
}

/// The frame with its mark, the first one with the stream's header too.
std::vector<std::uint8_t> RawWriter::y4m_frame(const Image& image) {
  const AVFrame& frame = yuv_->convert(image.rgb.data());
  std::vector<std::uint8_t> bytes;
  bytes.reserve(std::size_t{2} * height_ * width_ + 100);
  if (count_ == 0) {
    const AVRational rate = av_d2q(fps_, 100000);
    append(bytes, fmt::format("YUV4MPEG2 W{} H{} F{}:{} Ip A1:1 C420mpeg2 XCOLORRANGE=LIMITED\n",
                              width_, height_, rate.num, rate.den));
  }
  append(bytes, "FRAME\n");
  for (int plane = 0; plane < 3; ++plane) {
    const int rows = plane == 0 ? height_ : (height_ + 1) / 2;
    const int columns = plane == 0 ? width_ : (width_ + 1) / 2;
    for (int y = 0; y < rows; ++y) {
      const std::uint8_t* row = frame.data[plane] + std::ptrdiff_t{y} * frame.linesize[plane];
      bytes.insert(bytes.end(), row, row + columns);
    }
  }
  return bytes;
}

}  // namespace vostrack::video
