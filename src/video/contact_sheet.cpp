#include "video/contact_sheet.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "video/drawing.hpp"
#include "video/text.hpp"
#include "video/utf8.hpp"

namespace vostrack::video {
namespace {

constexpr int kGap = 6;
const cv::Scalar kGround(24, 24, 27);
const cv::Scalar kText(235, 235, 235);

int height_in_cell(const Image& image, int cell_width) {
  check(image.height > 0 && image.width > 0, ErrorCode::kInvalidArgument,
        "contact sheet: a picture of {}x{}", image.width, image.height);
  return std::max(1, static_cast<int>(std::lround(1.0 * image.height * cell_width / image.width)));
}

/// A caption, shortened until it fits, with dots for what is gone.
TextLine fit(const std::string& text, double size, int width) {
  TextLine line(text, size, 1);
  for (std::u32string shorter = code_points(text); line.width() > width && !shorter.empty();) {
    shorter.pop_back();
    std::string with_dots;
    for (char32_t character : shorter) with_dots += utf8(character);
    line = TextLine(with_dots + "...", size, 1);
  }
  return line;
}

}  // namespace

Image contact_sheet(std::span<const CaptionedImage> pictures, int columns, int cell_width) {
  check(!pictures.empty(), ErrorCode::kInvalidArgument, "contact sheet: no pictures");
  check(columns >= 1, ErrorCode::kInvalidArgument, "contact sheet: {} columns, want at least 1",
        columns);
  check(cell_width >= 16, ErrorCode::kInvalidArgument,
        "contact sheet: cells of {} pixels, want at least 16", cell_width);
  const std::int64_t used = std::min<std::int64_t>(columns, std::ssize(pictures));
  const std::int64_t rows = (std::ssize(pictures) + used - 1) / used;
  const double text_size = std::clamp(cell_width / 700.0, 0.35, 1.0);
  const int strip = static_cast<int>(std::lround(36 * text_size)) + 4;
  int picture_height = 1;
  for (const CaptionedImage& picture : pictures)
    picture_height = std::max(picture_height, height_in_cell(picture.image, cell_width));
  const std::int64_t width = kGap + used * (cell_width + kGap);
  const std::int64_t height = kGap + rows * (std::int64_t{picture_height} + strip + kGap);
  check(height * width <= std::int64_t{1} << 28, ErrorCode::kInvalidArgument,
        "contact sheet: {}x{}, want at most 2^28 pixels", width, height);

  Image sheet{static_cast<int>(height), static_cast<int>(width), {}};
  sheet.rgb.resize(static_cast<std::size_t>(3 * height * width));
  cv::Mat ground(sheet.height, sheet.width, CV_8UC3, sheet.rgb.data());
  ground.setTo(kGround);
  for (std::int64_t i = 0; i < std::ssize(pictures); ++i) {
    const CaptionedImage& picture = pictures[i];
    const int left = static_cast<int>(kGap + i % used * (cell_width + kGap));
    const int top = static_cast<int>(kGap + i / used * (picture_height + strip + kGap));
    Image cell = resize(picture.image, height_in_cell(picture.image, cell_width), cell_width);
    const cv::Mat pixels(cell.height, cell.width, CV_8UC3, cell.rgb.data());
    const int drop = (picture_height - cell.height) / 2;
    pixels.copyTo(ground(cv::Rect(left, top + drop, cell.width, cell.height)));
    fit(picture.caption, text_size, cell_width - 4)
        .draw(ground, {left + 2, top + picture_height + strip - strip / 3}, kText);
  }
  return sheet;
}

}  // namespace vostrack::video
