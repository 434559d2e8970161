#include "video/page_source.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "base/check.hpp"
#include "base/mapped_file.hpp"
#include "video/picture_header.hpp"
#include "video/tiff_samples.hpp"

namespace vostrack::video {
namespace {

class PageSource final : public FrameSource {
 public:
  PageSource(const std::string& path, const FolderOptions& options)
      : path_(path), fps_(options.fps) {
    check(std::isfinite(fps_) && fps_ > 0, ErrorCode::kInvalidArgument,
          "frames per second: {}, want a number above 0", fps_);
    std::error_code error;
    check(std::filesystem::exists(path, error), ErrorCode::kNotFound, "{}: no such file", path);
    count_ = page_count(path);
    check(count_ > 0, ErrorCode::kDecode, "{}: no page can be read", path);
    check_pages();
    const Image first = read_page(0);
    height_ = first.height;
    width_ = first.width;
  }

  std::int64_t frame_count() const override { return count_; }
  int height() const override { return height_; }
  int width() const override { return width_; }
  double pts_s(std::int64_t index) const override {
    check_range(index);
    return static_cast<double>(index) / fps_;
  }
  std::string name(std::int64_t index) const override {
    check_range(index);
    return fmt::format("{:05}", index);
  }

  Frame read(std::int64_t index) override {
    check_range(index);
    Frame frame;
    frame.image = read_page(index);
    check(frame.image.height == height_ && frame.image.width == width_, ErrorCode::kDecode,
          "{}: page {} has {}x{} pixels, want {}x{} like the first", path_, index,
          frame.image.width, frame.image.height, width_, height_);
    frame.index = index;
    frame.pts_s = pts_s(index);
    frame.name = name(index);
    return frame;
  }

 private:
  void check_range(std::int64_t index) const {
    check(index >= 0 && index < count_, ErrorCode::kOutOfRange,
          "{}: there is no page {}, the pages are frames 0 to {}", path_, index, count_ - 1);
  }

  /// Before memory is set aside for any of them.
  void check_pages() {
    const auto file = MappedFile::open(path_);
    auto page = TiffDirectory::first(file->bytes());
    for (std::int64_t i = 0; page && i < count_; ++i, page = page->next()) {
      const auto height = page->number(kTiffHeight), width = page->number(kTiffWidth);
      check(!height || !width || *width <= kMaxPicturePixels / std::max<std::int64_t>(1, *height),
            ErrorCode::kDecode, "{}: page {} claims to be {}x{}, want at most {} pixels", path_, i,
            width.value_or(0), height.value_or(0), kMaxPicturePixels);
      check_samples(*page, fmt::format("{}: page {}", path_, i));
      places_.push_back(page->place());
    }
    changed_ = with_colours_left_alone(file->bytes(), count_);
  }

  Image read_page(std::int64_t index) {
    std::vector<cv::Mat> pages;
    try {
      if (changed_.empty()) {
        cv::imreadmulti(path_, pages, static_cast<int>(index), 1, cv::IMREAD_COLOR);
      } else {
        check(index < static_cast<std::int64_t>(places_.size()), ErrorCode::kDecode,
              "{}: page {} cannot be found", path_, index);
        put_first(changed_, places_[static_cast<std::size_t>(index)]);
        pages.push_back(cv::imdecode(changed_, cv::IMREAD_COLOR));
      }
    } catch (const cv::Exception& error) {
      fail(ErrorCode::kDecode, "{}: page {} cannot be decoded: {}", path_, index, error.err);
    }
    check(pages.size() == 1 && pages[0].type() == CV_8UC3, ErrorCode::kDecode,
          "{}: page {} cannot be decoded", path_, index);
    Image image{pages[0].rows, pages[0].cols, {}};
    image.rgb.resize(std::size_t{3} * image.height * image.width);
    cv::Mat rgb(image.height, image.width, CV_8UC3, image.rgb.data());
    cv::cvtColor(pages[0], rgb, cv::COLOR_BGR2RGB);
    return image;
  }

  std::string path_;
  std::vector<std::uint8_t> changed_;  ///< the file, if its colours would be misread
  std::vector<std::int64_t> places_;   ///< of the pages' directories
  double fps_;
  std::int64_t count_ = 0;
  int height_ = 0;
  int width_ = 0;
};

}  // namespace

std::int64_t page_count(const std::string& path) {
  // OpenCV would print a warning.
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored) || !std::ifstream(path)) return 0;
  try {
    return static_cast<std::int64_t>(cv::imcount(path, cv::IMREAD_COLOR));
  } catch (const cv::Exception&) {
    return 0;
  }
}

std::unique_ptr<FrameSource> open_pages(const std::string& path, const FolderOptions& options) {
  return std::make_unique<PageSource>(path, options);
}

}  // namespace vostrack::video
