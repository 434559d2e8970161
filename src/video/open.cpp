#include "video/open.hpp"

#include <filesystem>

#include "video/file_source.hpp"
#include "video/page_source.hpp"
#include "video/picture_io.hpp"
#include "video/read_ahead.hpp"

namespace vostrack::video {
namespace {

std::unique_ptr<FrameSource> open_directly(const std::string& path, const OpenOptions& options) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_folder(path, options.folder);
  if (path.find_first_of("*?[") != std::string::npos && !std::filesystem::exists(path, ignored))
    return open_glob(path, options.folder);
  if (is_picture_name(path) && page_count(path) > 1) return open_pages(path, options.folder);
  if (is_picture_name(path)) return open_pictures({path}, options.folder);
  return open_file(path, options.decode);
}

}  // namespace

std::unique_ptr<VideoSource> open_source(const std::string& path, const OpenOptions& options) {
  return read_ahead(open_directly(path, options), options.read_ahead_frames);
}

}  // namespace vostrack::video
