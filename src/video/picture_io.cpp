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

namespace vostrack::video {
namespace {

constexpr std::int64_t kMaxPixels = std::int64_t{1} << 28;

std::string lower_suffix(const std::string& path) {
  std::string suffix = std::filesystem::path(path).extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix;
}

cv::Mat decode(const std::string& path, std::span<const std::uint8_t> bytes) {
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8U,
                    const_cast<std::uint8_t*>(bytes.data()));
  try {
    return cv::imdecode(raw, cv::IMREAD_COLOR);
  } catch (const cv::Exception& error) {
    fail(ErrorCode::kDecode, "{}: cannot be decoded: {}", path, error.err);
  }
}

}  // namespace

bool is_picture_name(const std::string& path) {
  static constexpr std::array kSuffixes = {".jpg",  ".jpeg", ".png", ".tif",
                                           ".tiff", ".webp", ".bmp"};
  return std::find(kSuffixes.begin(), kSuffixes.end(), lower_suffix(path)) != kSuffixes.end();
}

Image read_picture(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  check(!bytes.empty(), ErrorCode::kDecode, "{}: the file is empty", path);
  check(bytes.size() < (std::size_t{1} << 31), ErrorCode::kDecode,
        "{}: {} bytes are too many for a picture", path, bytes.size());
  if (const auto header = picture_header(bytes)) {
    check(header->height > 0 && header->width > 0 &&
              header->width <= kMaxPixels / std::max<std::int64_t>(1, header->height),
          ErrorCode::kDecode, "{}: claims to be {}x{}, want 1 to {} pixels", path, header->width,
          header->height, kMaxPixels);
    check(!header->cut_short, ErrorCode::kDecode, "{}: the picture is cut short", path);
  }
  const cv::Mat bgr = decode(path, bytes);
  check(!bgr.empty(), ErrorCode::kDecode, "{}: no picture that can be decoded", path);
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
  check(image.height > 0 && image.width > 0 &&
            image.rgb.size() == std::size_t{3} * image.height * image.width,
        ErrorCode::kInvalidArgument, "{}: the picture's buffer has {} bytes, want 3 x {} x {}",
        path, image.rgb.size(), image.height, image.width);
  const cv::Mat rgb(image.height, image.width, CV_8UC3,
                    const_cast<std::uint8_t*>(image.rgb.data()));
  cv::Mat bgr;
  cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
  std::vector<std::uint8_t> bytes;
  try {
    check(cv::imencode(suffix, bgr, bytes), ErrorCode::kIo, "{}: cannot be encoded", path);
  } catch (const cv::Exception& error) {
    fail(ErrorCode::kIo, "{}: cannot be encoded: {}", path, error.err);
  }
  write_file_atomically(path, bytes);
}

}  // namespace vostrack::video
