#include "video/drawing.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/check.hpp"
#include "video/text.hpp"

namespace vostrack::video {
namespace {

cv::Mat view(Image& image) {
  check(image.height > 0 && image.width > 0 &&
            image.rgb.size() == std::size_t{3} * image.height * image.width,
        ErrorCode::kInvalidArgument, "image of {} bytes, want 3 x {} x {}", image.rgb.size(),
        image.height, image.width);
  return {image.height, image.width, CV_8UC3, image.rgb.data()};
}

cv::Scalar scalar(Rgb colour) {
  return {1.0 * colour.r, 1.0 * colour.g, 1.0 * colour.b};
}

/// 1 for a picture of 480 rows.
double scale_of(const Image& image) {
  return std::max(0.5, std::min(image.height, image.width) / 480.0);
}

int outline_width(const Image& image) {
  const int side = std::min(image.height, image.width);
  return side >= 1600 ? 4 : side >= 900 ? 3 : side >= 360 ? 2 : 1;
}

/// Within bounds that OpenCV's fixed-point drawing can bear; what lies so far out is never seen.
cv::Point point(float x, float y) {
  const auto bounded = [](float v) {
    return static_cast<int>(
        std::lround(std::clamp(std::isnan(v) ? -30000.f : v, -30000.f, 30000.f)));
  };
  return {bounded(x), bounded(y)};
}

}  // namespace

void draw_mask(Image& image, const Mask& mask, Rgb colour, float opacity) {
  cv::Mat picture = view(image);
  check(mask.height == image.height && mask.width == image.width &&
            mask.data.size() == std::size_t{1} * mask.height * mask.width,
        ErrorCode::kInvalidArgument, "mask of {}x{} ({} bytes) over an image of {}x{}", mask.width,
        mask.height, mask.data.size(), image.width, image.height);
  check(opacity >= 0 && opacity <= 1, ErrorCode::kInvalidArgument, "opacity: {}, want 0 to 1",
        opacity);
  const cv::Mat given(mask.height, mask.width, CV_8U, const_cast<std::uint8_t*>(mask.data.data()));
  const cv::Mat inside = given != 0;
  cv::Mat core;
  // Outside the picture counts as inside the mask, so no line runs along the picture's edge.
  cv::erode(inside, core, cv::getStructuringElement(cv::MORPH_CROSS, {3, 3}), {-1, -1},
            outline_width(image));
  const float tint[3] = {opacity * colour.r, opacity * colour.g, opacity * colour.b};
  for (int y = 0; y < image.height; ++y) {
    auto* pixel = picture.ptr<cv::Vec3b>(y);
    for (int x = 0; x < image.width; ++x) {
      if (!inside.at<std::uint8_t>(y, x)) continue;
      if (!core.at<std::uint8_t>(y, x)) {
        pixel[x] = {colour.r, colour.g, colour.b};
        continue;
      }
      for (int c = 0; c < 3; ++c)
        pixel[x][c] = cv::saturate_cast<std::uint8_t>(tint[c] + (1 - opacity) * pixel[x][c]);
    }
  }
}

void draw_clicks(Image& image, std::span<const Click> clicks) {
  cv::Mat picture = view(image);
  const int radius = std::max(4, static_cast<int>(std::lround(7 * scale_of(image))));
  const int arm = radius / 2;
  const int width = std::max(1, radius / 4);
  for (const Click& click : clicks) {
    const cv::Point at = point(click.x, click.y);
    const cv::Scalar white(255, 255, 255);
    cv::circle(picture, at, radius + width, white, cv::FILLED, cv::LINE_AA);
    cv::circle(picture, at, radius,
               click.positive ? cv::Scalar(20, 160, 60) : cv::Scalar(220, 40, 40), cv::FILLED,
               cv::LINE_AA);
    cv::line(picture, at - cv::Point(arm, 0), at + cv::Point(arm, 0), white, width);
    if (click.positive)
      cv::line(picture, at - cv::Point(0, arm), at + cv::Point(0, arm), white, width);
  }
}

void draw_box(Image& image, const Box& box, Rgb colour) {
  cv::Mat picture = view(image);
  // The ends are exclusive, OpenCV's are not.
  cv::rectangle(picture, point(box.x0, box.y0), point(box.x1, box.y1) - cv::Point(1, 1),
                scalar(colour), outline_width(image));
}

void draw_label(Image& image, float x, float y, const std::string& text, Rgb colour) {
  cv::Mat picture = view(image);
  if (text.empty()) return;
  const double size = 0.5 * scale_of(image);
  const int weight = std::max(1, static_cast<int>(std::lround(1.2 * scale_of(image))));
  const TextLine line(text, size, weight);
  const int margin = std::max(2, line.height() / 3);
  const int plate_width = line.width() + 2 * margin, plate_height = line.height() + 2 * margin;
  const cv::Point corner = point(x, y);
  const int left = std::clamp(corner.x, 0, std::max(0, image.width - plate_width));
  const int top = std::clamp(corner.y - plate_height, 0, std::max(0, image.height - plate_height));
  cv::rectangle(picture, {left, top, plate_width, plate_height}, scalar(colour), cv::FILLED);
  const double brightness = 0.299 * colour.r + 0.587 * colour.g + 0.114 * colour.b;
  line.draw(picture, {left + margin, top + margin + line.height()},
            cv::Scalar::all(brightness > 128 ? 0 : 255));
}

Image resize(const Image& image, int height, int width) {
  check(height > 0 && width > 0 && std::int64_t{height} * width <= std::int64_t{1} << 28,
        ErrorCode::kInvalidArgument, "a picture of {}x{}, want 1 to 2^28 pixels", width, height);
  Image source = image;
  const cv::Mat from = view(source);
  Image result{height, width, std::vector<std::uint8_t>(std::size_t{3} * height * width)};
  cv::Mat to = view(result);
  const bool shrinks = height < image.height || width < image.width;
  cv::resize(from, to, to.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_CUBIC);
  return result;
}

}  // namespace vostrack::video
