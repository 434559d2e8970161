#include "eval/dataset.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/check.hpp"

namespace vostrack::eval {
namespace {

namespace fs = std::filesystem;

struct Roots {
  fs::path pictures;
  fs::path annotations;
};

Roots roots_of(Dataset dataset, const fs::path& root, const std::string& resolution) {
  switch (dataset) {
    case Dataset::kDavis:
      return {root / "JPEGImages" / resolution, root / "Annotations" / resolution};
    case Dataset::kYouTubeVos:
      return {root / "JPEGImages", root / "Annotations"};
    case Dataset::kSav:
      return {root / "JPEGImages_24fps", root / "Annotations_6fps"};
  }
  VOSTRACK_ASSERT(false && "every layout has its folders");
}

std::vector<std::string> folders_in(const fs::path& path) {
  std::vector<std::string> names;
  try {
    for (const fs::directory_entry& entry : fs::directory_iterator(path))
      if (entry.is_directory()) names.push_back(entry.path().filename().string());
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::kIo, "{}: {}", path.string(), error.code().message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::vector<Sequence> find_sequences(Dataset dataset, const std::string& root,
                                     const std::string& resolution,
                                     const std::vector<std::string>& names) {
  const Roots roots = roots_of(dataset, root, resolution);
  check(fs::is_directory(roots.annotations), ErrorCode::kNotFound,
        "{}: no such folder, want the annotations of the dataset at {}", roots.annotations.string(),
        root);
  std::vector<Sequence> sequences;
  std::set<std::string> seen;
  for (const std::string& name : names.empty() ? folders_in(roots.annotations) : names) {
    check(seen.insert(name).second, ErrorCode::kInvalidArgument,
          "sequence {} is named twice, want it once", name);
    // Results are written, and replaced, under this name.
    check(!name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos,
          ErrorCode::kInvalidArgument, "'{}' is no name of a sequence, want that of a folder in {}",
          name, roots.annotations.string());
    const fs::path annotations = roots.annotations / name;
    check(fs::is_directory(annotations), ErrorCode::kNotFound,
          "{}: no such folder, want the annotations of sequence {}", annotations.string(), name);
    sequences.push_back({name, (roots.pictures / name).string(), annotations.string()});
  }
  check(!sequences.empty(), ErrorCode::kNotFound, "{}: holds no sequence",
        roots.annotations.string());
  return sequences;
}

std::vector<std::string> read_split(const std::string& path) {
  std::ifstream file(path);
  check(file.is_open() && !fs::is_directory(path), ErrorCode::kNotFound,
        "{}: no such list of sequences", path);
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) {
    const std::size_t start = line.find_first_not_of(" \t\r");
    if (start == std::string::npos || line[start] == '#') continue;
    std::string name = line.substr(start, line.find_first_of(" \t\r", start) - start);
    if (name.find('/') != std::string::npos)
      name = fs::path(name).parent_path().filename().string();
    if (seen.insert(name).second) names.push_back(name);
  }
  check(!names.empty(), ErrorCode::kCorruptFile, "{}: names no sequence, want one a line", path);
  return names;
}

}  // namespace vostrack::eval
