/// Where optional test data lies: VOSTRACK_SHARED, else ../shared beside the source tree.
#pragma once

#include <cstdlib>
#include <filesystem>

namespace vostrack::test {

/// The folder, or an empty path when it is not there (the test then prints a skip).
inline std::filesystem::path shared_data(const std::filesystem::path& part) {
  const char* named = std::getenv("VOSTRACK_SHARED");
  std::filesystem::path root =
      named ? std::filesystem::path(named)
            : std::filesystem::path(VOSTRACK_SOURCE_DIR).parent_path() / "shared";
  std::filesystem::path path = root / part;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace vostrack::test
