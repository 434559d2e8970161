/// A file that appears whole or not at all.
///
///   AtomicFile file(path);
///   file.write(bytes);
///   file.commit();
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vostrack::nn {

/// Writes to a temporary file in the same folder; commit flushes it to the disk and renames it into
/// place. Without a commit the destructor removes it, and what was at the path stays.
class AtomicFile {
 public:
  /// @throws Error kIo when the folder is missing or not writable
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// @throws Error kIo when the disk is full or fails
  void write(std::span<const std::uint8_t> bytes);

  /// @throws Error kIo as above
  void commit();

 private:
  [[noreturn]] void fail_io(const char* action) const;

  std::string path_;
  std::string temporary_;
  int fd_ = -1;
};

}  // namespace vostrack::nn
