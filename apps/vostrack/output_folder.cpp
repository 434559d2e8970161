#include "apps/vostrack/output_folder.hpp"

#include <algorithm>
#include <vector>

#include "base/check.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const OutputFolder& folder) {
  return {folder.overlay(), folder.contact_sheet(), folder.summary(),      folder.lines(),
          folder.effect(),  folder.label_video(),   folder.cut_out("mov"), folder.cut_out("webm")};
}

/// Masks of single objects are in folders that are named after their ids.
bool is_object_folder(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  return entry.is_directory() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Removes the pictures in a folder, and the folder if nothing else is in it.
void remove_pictures(const fs::path& folder) {
  if (!fs::is_directory(folder)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".png") fs::remove(entry.path());
  if (fs::is_empty(folder)) fs::remove(folder);
}

}  // namespace

void OutputFolder::check_free(bool overwrite) const {
  check(!fs::exists(root_) || fs::is_directory(root_), ErrorCode::kInvalidArgument,
        "{}: is a file, want a folder for the results", root_.string());
  if (overwrite) return;
  std::vector<fs::path> paths = files_of(*this);
  paths.insert(paths.end(), {journal(), masks(), cut_out("png")});
  for (const fs::path& path : paths)
    check(!fs::exists(path) || (fs::is_directory(path) && fs::is_empty(path)),
          ErrorCode::kInvalidArgument,
          "{}: earlier results are there; give another --out, or --overwrite to replace them",
          path.string());
}

void OutputFolder::prepare(bool with_masks) const {
  try {
    fs::create_directories(root_);
    for (const fs::path& path : files_of(*this)) fs::remove(path);
    if (fs::is_directory(masks())) {
      std::vector<fs::path> object_folders;
      for (const fs::directory_entry& entry : fs::directory_iterator(masks()))
        if (is_object_folder(entry)) object_folders.push_back(entry.path());
      for (const fs::path& path : object_folders) remove_pictures(path);
    }
    remove_pictures(masks());
    remove_pictures(cut_out("png"));
    if (with_masks) fs::create_directories(masks());
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kIo, "{}: {}", root_.string(), error.code().message());
  }
}

}  // namespace vostrack::cli
