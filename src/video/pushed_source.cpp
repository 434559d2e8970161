#include "video/pushed_source.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/check.hpp"
#include "video/colour.hpp"

namespace vostrack::video {
namespace {

struct Layout {
  AVPixelFormat format;
  int planes;
  int bytes_per_pixel;  ///< of the first plane
};

Layout layout_of(PixelLayout layout) {
  switch (layout) {
    case PixelLayout::kRgb:
      return {AV_PIX_FMT_RGB24, 1, 3};
    case PixelLayout::kBgr:
      return {AV_PIX_FMT_BGR24, 1, 3};
    case PixelLayout::kGray:
      return {AV_PIX_FMT_GRAY8, 1, 1};
    case PixelLayout::kNv12:
      return {AV_PIX_FMT_NV12, 2, 1};
    case PixelLayout::kI420:
      return {AV_PIX_FMT_YUV420P, 3, 1};
  }
  fail(ErrorCode::kInvalidArgument, "pixel layout {} is none of the known ones",
       static_cast<int>(layout));
}

AVColorSpace space_of(YuvMatrix matrix) {
  switch (matrix) {
    case YuvMatrix::kBt601:
      return AVCOL_SPC_SMPTE170M;
    case YuvMatrix::kBt709:
      return AVCOL_SPC_BT709;
    case YuvMatrix::kBt2020:
      return AVCOL_SPC_BT2020_NCL;
  }
  fail(ErrorCode::kInvalidArgument, "colour matrix {} is none of the known ones",
       static_cast<int>(matrix));
}

struct PlaneSize {
  int height;
  int row_bytes;
};

PlaneSize plane_size(const PushedPicture& picture, const Layout& layout, int plane) {
  if (plane == 0) return {picture.height, picture.width * layout.bytes_per_pixel};
  const int half_width = (picture.width + 1) / 2;
  return {(picture.height + 1) / 2, layout.planes == 2 ? 2 * half_width : half_width};
}

/// A copy in memory of FFmpeg's own, whose vectors may read past the end of a row.
FramePtr copied(const PushedPicture& picture) {
  const Layout layout = layout_of(picture.layout);
  FramePtr frame = new_frame();
  frame->format = layout.format;
  frame->height = picture.height;
  frame->width = picture.width;
  frame->colorspace = space_of(picture.matrix);
  const bool full = picture.full_range || picture.layout == PixelLayout::kGray;
  frame->color_range = full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
  for (int plane = 0; plane < layout.planes; ++plane) {
    check(picture.planes[plane] != nullptr, ErrorCode::kInvalidArgument,
          "pushed picture: plane {} is null, want {} planes", plane, layout.planes);
    const int row_bytes = plane_size(picture, layout, plane).row_bytes;
    check(std::abs(picture.strides[plane]) >= row_bytes, ErrorCode::kInvalidArgument,
          "pushed picture: plane {} has rows {} bytes apart, want at least {}", plane,
          picture.strides[plane], row_bytes);
  }
  check(av_frame_get_buffer(frame.get(), 0) == 0, ErrorCode::kOutOfMemory,
        "no memory for a picture of {}x{}", picture.width, picture.height);
  for (int plane = 0; plane < layout.planes; ++plane) {
    const PlaneSize size = plane_size(picture, layout, plane);
    for (int y = 0; y < size.height; ++y)
      std::memcpy(frame->data[plane] + std::ptrdiff_t{y} * frame->linesize[plane],
                  picture.planes[plane] + y * picture.strides[plane],
                  static_cast<std::size_t>(size.row_bytes));
  }
  return frame;
}

}  // namespace

struct PushedSource::Impl {
  explicit Impl(const PushedOptions& options) : queue(options.capacity, options.policy) {}

  void check_picture(int picture_height, int picture_width, double pts_s) {
    check(picture_height > 0 && picture_width > 0 && picture_height <= 16384 &&
              picture_width <= 16384,
          ErrorCode::kInvalidArgument, "pushed picture: {}x{}, want 1 to 16384 each way",
          picture_width, picture_height);
    check(count == 0 || (picture_height == height && picture_width == width),
          ErrorCode::kInvalidArgument, "pushed picture: {}x{}, want {}x{} like the first",
          picture_width, picture_height, width, height);
    check(std::isfinite(pts_s) && (count == 0 || pts_s > last_pts_s), ErrorCode::kInvalidArgument,
          "pushed picture: its time is {} s after one at {} s, want times that advance", pts_s,
          last_pts_s);
  }

  bool push(Image image, double pts_s, Clock::time_point arrival) {
    height = image.height;
    width = image.width;
    last_pts_s = pts_s;
    LiveFrame live;
    live.frame.index = count;
    live.frame.pts_s = pts_s;
    live.frame.name = fmt::format("{:05}", count);
    live.frame.image = std::move(image);
    live.arrival = arrival;
    ++count;
    return queue.push(std::move(live));
  }

  FrameQueue<LiveFrame> queue;
  std::optional<RgbConverter> converter;
  int height = 0;
  int width = 0;
  double last_pts_s = 0;
  std::int64_t count = 0;
};

PushedSource::PushedSource(const PushedOptions& options) : impl_(std::make_unique<Impl>(options)) {}
PushedSource::~PushedSource() = default;

bool PushedSource::push(const PushedPicture& picture, double pts_s) {
  const Clock::time_point arrival = Clock::now();
  impl_->check_picture(picture.height, picture.width, pts_s);
  const FramePtr frame = copied(picture);
  if (!impl_->converter) impl_->converter.emplace(picture.height, picture.width, Orientation{});
  return impl_->push(impl_->converter->convert(*frame), pts_s, arrival);
}

bool PushedSource::push(Image image, double pts_s) {
  const Clock::time_point arrival = Clock::now();
  impl_->check_picture(image.height, image.width, pts_s);
  check(image.rgb.size() == std::size_t{3} * image.height * image.width,
        ErrorCode::kInvalidArgument, "pushed picture: its buffer has {} bytes, want 3 x {} x {}",
        image.rgb.size(), image.height, image.width);
  return impl_->push(std::move(image), pts_s, arrival);
}

std::optional<LiveFrame> PushedSource::next() {
  return impl_->queue.pop();
}
void PushedSource::close() {
  impl_->queue.close();
}
void PushedSource::cancel() {
  impl_->queue.cancel();
}
std::int64_t PushedSource::dropped() const {
  return impl_->queue.dropped();
}

}  // namespace vostrack::video
