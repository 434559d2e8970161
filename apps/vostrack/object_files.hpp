/// Objects that come from and go to files of their own.
#pragma once

#include <optional>
#include <string>

#include "vostrack/types.hpp"

namespace vostrack::cli {

struct ObjectFile {
  std::optional<ObjectId> object;  ///< unset: the id in the file
  std::string path;
};

/// `[ID:]FILE`. @throws UsageError
ObjectFile parse_object_file(const std::string& text);
/// `ID:FILE`. @throws UsageError
ObjectFile parse_object_export(const std::string& text);

}  // namespace vostrack::cli
