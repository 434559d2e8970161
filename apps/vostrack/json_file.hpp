/// JSON in files.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "base/atomic_file.hpp"

namespace vostrack::cli {

/// Keeps the order in which a person would read it.
using Json = nlohmann::ordered_json;

/// Indented, with a line break at the end. Bytes of names that are no UTF-8 are replaced.
inline std::string json_text(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// On one line, for files with a record a line.
inline std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// @throws Error kIo, kNotFound when the folder does not exist
inline void write_json(const std::string& path, const Json& json) {
  const std::string text = json_text(json);
  write_file_atomically(path,
                        std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace vostrack::cli
