#include "video/pushed_source.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <utility>

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

void check_planes(const PushedPicture& picture) {
  const Layout layout = layout_of(picture.layout);
  space_of(picture.matrix);
  for (int plane = 0; plane < layout.planes; ++plane) {
    check(picture.planes[plane] != nullptr, ErrorCode::kInvalidArgument,
          "pushed picture: plane {} is null, want {} planes", plane, layout.planes);
    const int row_bytes = plane_size(picture, layout, plane).row_bytes;
    check(std::abs(picture.strides[plane]) >= row_bytes, ErrorCode::kInvalidArgument,
          "pushed picture: plane {} has rows {} bytes apart, want at least {}", plane,
          picture.strides[plane], row_bytes);
  }
}

/// A copy in memory of FFmpeg's own, whose vectors may read past the end of a row.
FramePtr copied(const PushedPicture& picture) {
  const Layout layout = layout_of(picture.layout);
  FramePtr frame = new_frame();
  frame->format = layout.format;
  frame->height = picture.height;
  frame->width = picture.width;
  frame->colorspace = space_of(picture.matrix);
  frame->color_range = picture.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
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

/// One row of kRgb, kBgr or kGray to RGB.
void convert_row(PixelLayout layout, const std::uint8_t* in, int width, std::uint8_t* out) {
  if (layout == PixelLayout::kRgb) {
    std::memcpy(out, in, std::size_t{3} * width);
  } else if (layout == PixelLayout::kBgr) {
    for (int x = 0; x < width; ++x, in += 3, out += 3)
      out[0] = in[2], out[1] = in[1], out[2] = in[0];
  } else {
    for (int x = 0; x < width; ++x, ++in, out += 3) out[0] = out[1] = out[2] = *in;
  }
}

/// A checked picture to RGB. `converter` is kept for the next one.
Image to_rgb(const PushedPicture& picture, std::optional<RgbConverter>& converter) {
  if (picture.layout == PixelLayout::kNv12 || picture.layout == PixelLayout::kI420) {
    if (!converter) converter.emplace(picture.height, picture.width, Orientation{});
    return converter->convert(*copied(picture));
  }
  Image image{picture.height, picture.width, {}};
  const std::size_t row_bytes = std::size_t{3} * picture.width;
  image.rgb.resize(row_bytes * picture.height);
  for (int y = 0; y < picture.height; ++y)
    convert_row(picture.layout, picture.planes[0] + y * picture.strides[0], picture.width,
                image.rgb.data() + y * row_bytes);
  return image;
}

/// What waits to be taken: a picture, or where one lies.
struct Waiting {
  LiveFrame live;
  PushedPicture borrowed;
  std::shared_ptr<const void> owner;
};

}  // namespace

struct PushedSource::Impl {
  explicit Impl(const PushedOptions& options) : queue(options.queue_frames, options.policy) {}

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

  bool push(Waiting waiting, int picture_height, int picture_width, double pts_s,
            Clock::time_point arrival) {
    height = picture_height;
    width = picture_width;
    last_pts_s = pts_s;
    Frame& frame = waiting.live.frame;
    frame.index = count;
    frame.pts_s = pts_s;
    frame.name = fmt::format("{:05}", count);
    waiting.live.arrival = arrival;
    ++count;
    return queue.push(std::move(waiting));
  }

  FrameQueue<Waiting> queue;
  std::optional<RgbConverter> of_pushed;  ///< used by push()
  std::optional<RgbConverter> of_taken;   ///< used by next()
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
  check_planes(picture);
  Waiting waiting;
  waiting.live.frame.image = to_rgb(picture, impl_->of_pushed);
  return impl_->push(std::move(waiting), picture.height, picture.width, pts_s, arrival);
}

bool PushedSource::push(const PushedPicture& picture, double pts_s,
                        std::shared_ptr<const void> owner) {
  const Clock::time_point arrival = Clock::now();
  impl_->check_picture(picture.height, picture.width, pts_s);
  check_planes(picture);
  check(owner != nullptr, ErrorCode::kInvalidArgument, "pushed picture: nobody owns its memory");
  Waiting waiting{{}, picture, std::move(owner)};
  return impl_->push(std::move(waiting), picture.height, picture.width, pts_s, arrival);
}

bool PushedSource::push(Image image, double pts_s) {
  const Clock::time_point arrival = Clock::now();
  impl_->check_picture(image.height, image.width, pts_s);
  check(image.rgb.size() == std::size_t{3} * image.height * image.width,
        ErrorCode::kInvalidArgument, "pushed picture: its buffer has {} bytes, want 3 x {} x {}",
        image.rgb.size(), image.height, image.width);
  const int height = image.height, width = image.width;
  Waiting waiting;
  waiting.live.frame.image = std::move(image);
  return impl_->push(std::move(waiting), height, width, pts_s, arrival);
}

std::optional<LiveFrame> PushedSource::next() {
  std::optional<Waiting> waiting = impl_->queue.pop();
  if (!waiting) return std::nullopt;
  if (waiting->owner) waiting->live.frame.image = to_rgb(waiting->borrowed, impl_->of_taken);
  return std::move(waiting->live);
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
