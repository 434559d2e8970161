#include "apps/vostrack/output_folder.hpp"

#include "base/check.hpp"

namespace vostrack::cli {
namespace fs = std::filesystem;

void OutputFolder::check_free(bool overwrite) const {
  check(!fs::exists(root_) || fs::is_directory(root_), ErrorCode::kInvalidArgument,
        "{}: is a file, want a folder for the results", root_.string());
  if (overwrite) return;
  for (const fs::path& path : {overlay(), contact_sheet(), summary(), masks()})
    check(!fs::exists(path) || (fs::is_directory(path) && fs::is_empty(path)),
          ErrorCode::kInvalidArgument,
          "{}: earlier results are there; give another --out, or --overwrite to replace them",
          path.string());
}

void OutputFolder::prepare(bool with_masks) const {
  try {
    fs::create_directories(root_);
    for (const fs::path& path : {overlay(), contact_sheet(), summary()}) fs::remove(path);
    if (fs::is_directory(masks())) {
      for (const fs::directory_entry& entry : fs::directory_iterator(masks()))
        if (entry.path().extension() == ".png") fs::remove(entry.path());
      if (fs::is_empty(masks())) fs::remove(masks());
    }
    if (with_masks) fs::create_directories(masks());
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kIo, "{}: {}", root_.string(), error.code().message());
  }
}

}  // namespace vostrack::cli
