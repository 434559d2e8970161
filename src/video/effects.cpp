#include "video/effects.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/check.hpp"
#include "video/drawing.hpp"

namespace vostrack::video {
namespace {

void check_image(const Image& image) {
  check(image.height > 0 && image.width > 0 &&
            image.rgb.size() == std::size_t{3} * image.height * image.width,
        ErrorCode::kInvalidArgument, "image of {} bytes, want 3 x {} x {}, not empty",
        image.rgb.size(), image.height, image.width);
}

/// 1 where the effect applies, else 0, as bytes.
cv::Mat chosen(const Image& image, const Mask& mask, Region region) {
  check_image(image);
  check(mask.height == image.height && mask.width == image.width &&
            mask.data.size() == std::size_t{1} * mask.height * mask.width,
        ErrorCode::kInvalidArgument, "mask of {}x{} ({} bytes) over an image of {}x{}", mask.width,
        mask.height, mask.data.size(), image.width, image.height);
  const cv::Mat given(mask.height, mask.width, CV_8U, const_cast<std::uint8_t*>(mask.data.data()));
  cv::Mat result;
  cv::Mat(region == Region::kObject ? given != 0 : given == 0).convertTo(result, CV_8U, 1. / 255);
  return result;
}

}  // namespace

void blur(Image& image, const Mask& mask, Region region, double sigma) {
  check(std::isfinite(sigma) && sigma > 0 && sigma <= 1000, ErrorCode::kInvalidArgument,
        "sigma: {}, want more than 0 and at most 1000", sigma);
  const cv::Mat side = chosen(image, mask, region);
  cv::Mat picture(image.height, image.width, CV_8UC3, image.rgb.data());
  // Weighted by the side and divided by the blurred weight: the average of that side alone.
  cv::Mat weight, sum;
  side.convertTo(weight, CV_32F);
  cv::Mat zeroed(picture.size(), CV_8UC3, cv::Scalar::all(0));
  picture.copyTo(zeroed, side);
  zeroed.convertTo(sum, CV_32F);
  cv::GaussianBlur(weight, weight, {}, sigma, sigma, cv::BORDER_REFLECT);
  cv::GaussianBlur(sum, sum, {}, sigma, sigma, cv::BORDER_REFLECT);
  for (int y = 0; y < image.height; ++y) {
    const auto* in = sum.ptr<float>(y);
    const auto* divisor = weight.ptr<float>(y);
    const auto* applies = side.ptr<std::uint8_t>(y);
    std::uint8_t* out = picture.ptr<std::uint8_t>(y);
    for (int x = 0; x < image.width; ++x)
      if (applies[x])
        for (int c = 0; c < 3; ++c)
          out[3 * x + c] = cv::saturate_cast<std::uint8_t>(in[3 * x + c] / divisor[x]);
  }
}

void pixelate(Image& image, const Mask& mask, Region region, int block) {
  check(block >= 1, ErrorCode::kInvalidArgument, "block: {} pixels, want at least 1", block);
  const cv::Mat side = chosen(image, mask, region);
  block = std::min(block, std::max(image.height, image.width));
  cv::Mat picture(image.height, image.width, CV_8UC3, image.rgb.data());
  const cv::Rect all(0, 0, image.width, image.height);
  for (int y = 0; y < image.height; y += block)
    for (int x = 0; x < image.width; x += block) {
      const cv::Rect square = cv::Rect(x, y, block, block) & all;
      const cv::Mat applies = side(square);
      if (cv::countNonZero(applies) == 0) continue;
      picture(square).setTo(cv::mean(picture(square), applies), applies);
    }
}

Image side_by_side(const Image& left, const Image& right) {
  check_image(left);
  check_image(right);
  const int width =
      std::max(1, static_cast<int>(std::lround(1. * right.width * left.height / right.height)));
  const Image fitted = right.height == left.height ? right : resize(right, left.height, width);
  Image both{left.height, left.width + fitted.width, {}};
  both.rgb.reserve(std::size_t{3} * both.height * both.width);
  for (int y = 0; y < both.height; ++y)
    for (const Image* part : {&left, &fitted}) {
      const auto row = part->rgb.begin() + std::ptrdiff_t{3} * y * part->width;
      both.rgb.insert(both.rgb.end(), row, row + std::ptrdiff_t{3} * part->width);
    }
  return both;
}

}  // namespace vostrack::video
