#include "video/picture_io.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/atomic_file.hpp"
#include "base/check.hpp"
#include "base/mapped_file.hpp"
#include "video/picture_header.hpp"
#include "video/tiff_samples.hpp"

namespace vostrack::video {
namespace {

std::string lower_suffix(const std::string& path) {
  std::string suffix = std::filesystem::path(path).extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix;
}

cv::Mat decode(const std::string& path, std::span<const std::uint8_t> bytes, int flags) {
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U,
                    const_cast<std::uint8_t*>(bytes.data()));
  try {
    return cv::imdecode(raw, flags);
  } catch (const cv::Exception& error) {
    fail(ErrorCode::kDecode, "{}: cannot be decoded: {}", path, error.err);
  }
}

/// Encodes a picture whose channels are in OpenCV's order, and writes it.
void encode(const std::string& path, const std::string& suffix, const cv::Mat& picture,
            const std::vector<int>& settings = {}) {
  std::vector<std::uint8_t> bytes;
  try {
    check(cv::imencode(suffix, picture, bytes, settings), ErrorCode::kIo, "{}: cannot be encoded",
          path);
  } catch (const cv::Exception& error) {
    fail(ErrorCode::kIo, "{}: cannot be encoded: {}", path, error.err);
  }
  write_file_atomically(path, bytes);
}

void check_buffer(const std::string& path, std::size_t bytes, int channels, int height, int width) {
  check(height > 0 && width > 0 && bytes == std::size_t{1} * channels * height * width,
        ErrorCode::kInvalidArgument, "{}: the picture's buffer has {} bytes, want {} x {} x {}",
        path, bytes, channels, height, width);
}

void check_is_png(const std::string& path, const char* what) {
  check(lower_suffix(path) == ".png", ErrorCode::kInvalidArgument,
        "{}: {} are written as .png, got \"{}\"", path, what, lower_suffix(path));
}

}  // namespace

bool is_picture_name(const std::string& path) {
  static constexpr std::array kSuffixes = {".jpg",  ".jpeg", ".png", ".tif",
                                           ".tiff", ".webp", ".bmp"};
  return std::find(kSuffixes.begin(), kSuffixes.end(), lower_suffix(path)) != kSuffixes.end();
}

Image read_picture(const std::string& path) {
  const auto file = MappedFile::open(path);
  auto bytes = file->bytes();
  check(!bytes.empty(), ErrorCode::kDecode, "{}: the file is empty", path);
  check(bytes.size() < (std::size_t{1} << 31), ErrorCode::kDecode,
        "{}: {} bytes are too many for a picture", path, bytes.size());
  if (const auto header = picture_header(bytes)) {
    check(header->height > 0 && header->width > 0 &&
              header->width <= kMaxPicturePixels / std::max<std::int64_t>(1, header->height),
          ErrorCode::kDecode, "{}: claims to be {}x{}, want 1 to {} pixels", path, header->width,
          header->height, kMaxPicturePixels);
    check(!header->cut_short, ErrorCode::kDecode, "{}: the picture is cut short", path);
  }
  std::vector<std::uint8_t> changed;
  if (const auto page = TiffDirectory::first(bytes)) {
    check_samples(*page, path);
    changed = with_colours_left_alone(bytes, 1);
    if (!changed.empty()) bytes = changed;
  }
  // OpenCV turns all others.
  const auto webp = webp_orientation(bytes);
  const cv::Mat bgr =
      decode(path, bytes, cv::IMREAD_COLOR | (webp ? cv::IMREAD_IGNORE_ORIENTATION : 0));
  check(!bgr.empty(), ErrorCode::kDecode, "{}: no picture that can be decoded", path);
  if (webp && *webp != Orientation{}) {
    cv::Mat rgb;
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    return upright(rgb.data, static_cast<std::ptrdiff_t>(rgb.step), rgb.rows, rgb.cols, *webp);
  }
  Image image{bgr.rows, bgr.cols, {}};
  image.rgb.resize(std::size_t{3} * bgr.rows * bgr.cols);
  cv::Mat rgb(bgr.rows, bgr.cols, CV_8UC3, image.rgb.data());
  cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
  return image;
}

void write_picture(const std::string& path, const Image& image) {
  const std::string suffix = lower_suffix(path);
  check(suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg", ErrorCode::kInvalidArgument,
        "{}: pictures are written as .png, .jpg or .jpeg, got \"{}\"", path, suffix);
  check_buffer(path, image.rgb.size(), 3, image.height, image.width);
  const cv::Mat rgb(image.height, image.width, CV_8UC3,
                    const_cast<std::uint8_t*>(image.rgb.data()));
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  encode(path, suffix, bgr);
}

void write_picture(const std::string& path, const RgbaImage& image) {
  check_is_png(path, "pictures with transparency");
  check_buffer(path, image.rgba.size(), 4, image.height, image.width);
  const cv::Mat rgba(image.height, image.width, CV_8UC4,
                     const_cast<std::uint8_t*>(image.rgba.data()));
  cv::Mat bgra;
  cv::cvtColor(rgba, bgra, cv::COLOR_RGBA2BGRA);
  encode(path, ".png", bgra);
}

void write_mask_picture(const std::string& path, const Mask& mask) {
  check_is_png(path, "masks");
  check_buffer(path, mask.data.size(), 1, mask.height, mask.width);
  const cv::Mat given(mask.height, mask.width, CV_8U, const_cast<std::uint8_t*>(mask.data.data()));
  const cv::Mat white = given != 0;
  encode(path, ".png", white, {cv::IMWRITE_PNG_BILEVEL, 1});
}

}  // namespace vostrack::video
