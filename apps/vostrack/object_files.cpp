#include "apps/vostrack/object_files.hpp"

#include <algorithm>

#include "apps/vostrack/prompts.hpp"
#include "apps/vostrack/usage.hpp"

namespace vostrack::cli {

ObjectFile parse_object_file(const std::string& text) {
  ObjectFile file{std::nullopt, text};
  const std::size_t colon = text.find(':');
  const bool numbered = colon != std::string::npos && colon > 0 &&
                        std::all_of(text.begin(), text.begin() + static_cast<long>(colon),
                                    [](char c) { return c >= '0' && c <= '9'; });
  if (numbered) file = {parse_object_id(text.substr(0, colon)), text.substr(colon + 1)};
  if (file.path.empty()) throw UsageError("--object " + text + ": want [ID:]FILE");
  return file;
}

ObjectFile parse_object_export(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon + 1 == text.size())
    throw UsageError("--export-object " + text + ": want ID:FILE");
  return {parse_object_id(text.substr(0, colon)), text.substr(colon + 1)};
}

}  // namespace vostrack::cli
