/// Event files, which TensorBoard shows.
///
///   EventFile events("run/");
///   events.add({step, seconds}, {{"loss", 0.25}});
///   events.add_picture({step, seconds}, "validation", picture);
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "vostrack/types.hpp"

namespace vostrack::train {

/// A name and its value.
using Metric = std::pair<std::string, double>;

struct LogTime {
  std::int64_t step = 0;
  double unix_s = 0;  ///< seconds since 1970
};

/// CRC-32C (Castagnoli), as event files have it: turned and offset.
///
/// Source: tensorflow/core/lib/hash/crc32c.h, Mask
std::uint32_t masked_crc32c(std::string_view bytes);

/// A record: length, its checksum, the bytes, their checksum.
///
/// Source: tensorflow/core/lib/io/record_writer.cc
std::string tf_record(std::string_view bytes);

/// Protocol buffers of tensorflow/core/util/event.proto, encoded.
std::string version_event(double unix_s);
std::string scalar_event(const LogTime& time, std::span<const Metric> metrics);
std::string picture_event(const LogTime& time, const std::string& tag, const Image& picture);
std::string restart_event(const LogTime& time);

/// Writes a file of its own into a folder, record by record, each flushed, so that a run that ends
/// abruptly has lost nothing. A run that goes on writes another file; TensorBoard joins them.
class EventFile {
 public:
  /// @param unix_s  becomes part of the name
  /// @throws Error kIo when the file cannot be made
  EventFile(const std::string& folder, double unix_s);

  const std::string& path() const noexcept { return path_; }

  /// @throws Error kIo
  void add(const LogTime& time, std::span<const Metric> metrics);
  void add_picture(const LogTime& time, const std::string& tag, const Image& picture);
  /// What other files of the folder tell of this step and later ones does not count any more.
  void restart(const LogTime& time);

 private:
  void write(const std::string& event);

  std::string path_;
  std::ofstream file_;
};

}  // namespace vostrack::train
