#include "video/picture_folder.hpp"

#include <filesystem>

#include "base/check.hpp"
#include "video/picture_io.hpp"

namespace vostrack::video {
namespace {

namespace fs = std::filesystem;

/// Makes a folder unless it is there.
void make_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return;
  check(!folder.empty(), ErrorCode::kInvalidArgument, "(empty path): want a folder for pictures");
  check(!fs::exists(folder, error), ErrorCode::kInvalidArgument,
        "{}: is a file, want a folder for pictures", folder.string());
  const fs::path above = fs::absolute(folder / "..").lexically_normal();
  check(fs::is_directory(above, error), ErrorCode::kNotFound, "{}: there is no folder {}",
        folder.string(), above.string());
  fs::create_directory(folder, error);
  check(!error, ErrorCode::kIo, "{}: cannot be created: {}", folder.string(), error.message());
}

fs::path file_in(const fs::path& folder, const std::string& name, const std::string& suffix) {
  check(!name.empty() && name.find_first_of(std::string("/\\\0", 3)) == std::string::npos,
        ErrorCode::kInvalidArgument, "{}: a picture called \"{}\", want a name without folders",
        folder.string(), name);
  return folder / (name + suffix);
}

}  // namespace

PictureFolderWriter::PictureFolderWriter(const std::string& folder, PictureFolderOptions options)
    : folder_(folder), options_(std::move(options)) {
  const std::string& suffix = options_.suffix;
  check(suffix == ".png" || suffix == ".jpg" || suffix == ".jpeg", ErrorCode::kInvalidArgument,
        "{}: pictures are written as .png, .jpg or .jpeg, got \"{}\"", folder, suffix);
  make_folder(folder);
}

std::string PictureFolderWriter::write(const Image& image, const std::string& name) {
  return write_any(image, name);
}

std::string PictureFolderWriter::write(const RgbaImage& image, const std::string& name) {
  return write_any(image, name);
}

template <class Picture>
std::string PictureFolderWriter::write_any(const Picture& picture, const std::string& name) {
  const fs::path path =
      file_in(folder_, name.empty() ? fmt::format("{:05}", count_) : name, options_.suffix);
  std::error_code ignored;
  check(options_.overwrite || !fs::exists(path, ignored), ErrorCode::kInvalidArgument,
        "{}: exists already, and may not be replaced", path.string());
  write_picture(path.string(), picture);
  ++count_;
  return path.string();
}

std::string write_object_mask(const std::string& folder, ObjectId object, const std::string& name,
                              const Mask& mask) {
  make_folder(folder);
  const fs::path own = fs::path(folder) / std::to_string(object);
  make_folder(own);
  const std::string path = file_in(own, name, ".png").string();
  write_mask_picture(path, mask);
  return path;
}

}  // namespace vostrack::video
