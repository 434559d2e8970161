#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/check.hpp"
#include "vostrack/model.hpp"

namespace vostrack {
namespace {

namespace fs = std::filesystem;

/// The folder of the file that this function was loaded from: the shared library, or the program
/// when the library is inside it. Empty when it cannot be found out.
fs::path folder_of_this_code() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&folder_of_this_code), &info) == 0) return {};
  std::error_code failed;
  const fs::path file = fs::canonical(info.dli_fname, failed);
  return failed ? fs::path() : file.parent_path();
}

/// The folder of the running program; empty when it cannot be found out.
fs::path folder_of_program() {
  std::error_code failed;
  const fs::path file = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::path() : file.parent_path();
}

}  // namespace

std::string Model::default_path() {
  if (const char* named = std::getenv("VOSTRACK_MODEL")) return named;
  // An installed tree may be moved, so what lies beside us comes before the prefix that was
  // configured.
  const std::array<fs::path, 4> candidates = {folder_of_this_code() / VOSTRACK_MODEL_FROM_LIBRARY,
                                              folder_of_program() / VOSTRACK_MODEL_FROM_PROGRAM,
                                              VOSTRACK_INSTALLED_MODEL, VOSTRACK_SOURCE_MODEL};
  for (const fs::path& path : candidates) {
    std::error_code failed;
    if (path.is_absolute() && fs::is_regular_file(path, failed))
      return path.lexically_normal().string();
  }
  fail(ErrorCode::kNotFound,
       "the default model is neither beside the library or the program, nor at {} nor at {}; name "
       "one with VOSTRACK_MODEL",
       VOSTRACK_INSTALLED_MODEL, VOSTRACK_SOURCE_MODEL);
}

}  // namespace vostrack
