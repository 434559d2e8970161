#include "video/folder_source.hpp"

#include <glob.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>

#include "base/check.hpp"
#include "video/picture_io.hpp"

namespace vostrack::video {
namespace {

namespace fs = std::filesystem;

class PictureSource final : public FrameSource {
 public:
  PictureSource(std::vector<std::string> paths, const FolderOptions& options)
      : paths_(std::move(paths)), fps_(options.fps) {
    check(std::isfinite(fps_) && fps_ > 0, ErrorCode::kInvalidArgument,
          "frames per second: {}, want a number above 0", fps_);
    check(!paths_.empty(), ErrorCode::kInvalidArgument, "no pictures, want at least one");
    const Image first = read_picture(paths_.front());
    height_ = first.height;
    width_ = first.width;
  }

  std::int64_t frame_count() const override { return static_cast<std::int64_t>(paths_.size()); }
  int height() const override { return height_; }
  int width() const override { return width_; }
  double pts_s(std::int64_t index) const override {
    check_range(index);
    return static_cast<double>(index) / fps_;
  }
  std::string name(std::int64_t index) const override {
    check_range(index);
    return fs::path(paths_[index]).stem().string();
  }

  Frame read(std::int64_t index) override {
    check_range(index);
    Frame frame;
    frame.image = read_picture(paths_[index]);
    check(frame.image.height == height_ && frame.image.width == width_, ErrorCode::kDecode,
          "{}: {}x{} pixels, want {}x{} like {}", paths_[index], frame.image.width,
          frame.image.height, width_, height_, paths_.front());
    frame.index = index;
    frame.pts_s = pts_s(index);
    frame.name = name(index);
    return frame;
  }

 private:
  void check_range(std::int64_t index) const {
    check(index >= 0 && index < frame_count(), ErrorCode::kOutOfRange,
          "{}: there is no frame {}, the pictures are frames 0 to {}",
          fs::path(paths_.front()).parent_path().string(), index, frame_count() - 1);
  }

  std::vector<std::string> paths_;
  double fps_;
  int height_ = 0;
  int width_ = 0;
};

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// The run of digits at the front, and what it is worth without leading zeros.
std::string_view take_number(std::string_view& text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  std::string_view number = text.substr(0, length);
  text.remove_prefix(length);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view number_a = take_number(a), number_b = take_number(b);
      if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
      if (number_a != number_b) return number_a < number_b;
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;  // 01 and 1: worth the same, but not the same name
}

std::unique_ptr<FrameSource> open_folder(const std::string& path, const FolderOptions& options) {
  std::error_code error;
  check(fs::is_directory(path, error), ErrorCode::kNotFound, "{}: no such folder",
        path.empty() ? "(empty path)" : path);
  std::vector<std::string> names;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name.front() != '.' && is_picture_name(name) && entry->is_regular_file(ignored))
      names.push_back(std::move(name));
  }
  check(!error, ErrorCode::kIo, "{}: cannot be listed: {}", path, error.message());
  check(!names.empty(), ErrorCode::kNotFound,
        "{}: no pictures in it (.jpg, .jpeg, .png, .tif, .tiff, .webp, .bmp)", path);
  std::sort(names.begin(), names.end(), natural_less);
  for (std::string& name : names) name = (fs::path(path) / name).string();
  return open_pictures(std::move(names), options);
}

std::unique_ptr<FrameSource> open_glob(const std::string& pattern, const FolderOptions& options) {
  std::vector<std::string> paths;
  glob_t found{};
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (is_picture_name(found.gl_pathv[i])) paths.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  check(!paths.empty(), ErrorCode::kNotFound, "{}: matches no picture", pattern);
  std::sort(paths.begin(), paths.end(), natural_less);
  return open_pictures(std::move(paths), options);
}

std::unique_ptr<FrameSource> open_pictures(std::vector<std::string> paths,
                                           const FolderOptions& options) {
  return std::make_unique<PictureSource>(std::move(paths), options);
}

}  // namespace vostrack::video
