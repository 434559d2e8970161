#include "video/cut_out.hpp"

#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/check.hpp"

namespace vostrack::video {
namespace {

constexpr double kMaxSoftness = 100;

/// 0 to 255.
cv::Mat opacity_of(const Mask& mask, double softness) {
  const cv::Mat given(mask.height, mask.width, CV_8U, const_cast<std::uint8_t*>(mask.data.data()));
  cv::Mat opacity = given != 0;
  // What lies beyond the picture goes on as at its edge, so the object is not faded out there.
  if (softness > 0)
    cv::GaussianBlur(opacity, opacity, {}, softness, softness, cv::BORDER_REPLICATE);
  return opacity;
}

}  // namespace

RgbaImage cut_out(const Image& image, const Mask& mask, double softness) {
  check(image.height > 0 && image.width > 0 &&
            image.rgb.size() == std::size_t{3} * image.height * image.width,
        ErrorCode::kInvalidArgument, "image of {} bytes, want 3 x {} x {}, not empty",
        image.rgb.size(), image.height, image.width);
  check(mask.height == image.height && mask.width == image.width &&
            mask.data.size() == std::size_t{1} * mask.height * mask.width,
        ErrorCode::kInvalidArgument, "mask of {}x{} ({} bytes) over an image of {}x{}", mask.width,
        mask.height, mask.data.size(), image.width, image.height);
  check(std::isfinite(softness) && softness >= 0 && softness <= kMaxSoftness,
        ErrorCode::kInvalidArgument, "softness: {}, want 0 to {}", softness, kMaxSoftness);

  const cv::Mat picture(image.height, image.width, CV_8UC3,
                        const_cast<std::uint8_t*>(image.rgb.data()));
  const cv::Mat opacity = opacity_of(mask, softness);
  cv::Mat colours(picture.size(), CV_8UC3, cv::mean(picture, opacity));
  picture.copyTo(colours, opacity);
  RgbaImage result{image.height, image.width, {}};
  result.rgba.resize(std::size_t{4} * image.height * image.width);
  cv::Mat rgba(image.height, image.width, CV_8UC4, result.rgba.data());
  const int places[] = {0, 0, 1, 1, 2, 2, 3, 3};
  const cv::Mat parts[] = {colours, opacity};
  cv::mixChannels(parts, 2, &rgba, 1, places, 4);
  return result;
}

}  // namespace vostrack::video
