/// Files that appear whole or not at all.
///
///   PendingFile file("masks/00001.png");
///   write_bytes(file.temporary(), bytes);
///   file.commit();                         // without it, the temporary file is removed
#pragma once

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/check.hpp"
#include "base/handle.hpp"

namespace vostrack {

/// A file being written under a temporary name in the folder of its final one, so that the
/// renaming never crosses file systems.
class PendingFile {
 public:
  /// @throws Error kNotFound when the folder does not exist, kInvalidArgument without a file name
  explicit PendingFile(const std::string& path) : path_(path) {
    static std::atomic<unsigned> counter{0};
    const std::filesystem::path final_path(path);
    check(final_path.has_filename(), ErrorCode::kInvalidArgument, "{}: not the name of a file",
          path.empty() ? "(empty path)" : path);
    const std::filesystem::path folder = final_path.parent_path();
    std::error_code ignored;
    check(folder.empty() || std::filesystem::is_directory(folder, ignored), ErrorCode::kNotFound,
          "{}: there is no folder {}", path, folder.string());
    check(!std::filesystem::is_directory(final_path, ignored), ErrorCode::kInvalidArgument,
          "{}: is a folder, want the name of a file", path);
    temporary_ = (folder / fmt::format(".{}.{}-{}.part", final_path.filename().string(), ::getpid(),
                                       counter++))
                     .string();
  }
  ~PendingFile() {
    if (!committed_) std::remove(temporary_.c_str());
  }
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  const std::string& temporary() const noexcept { return temporary_; }

  /// Gives the file its final name, replacing what was there.
  ///
  /// @throws Error kIo
  void commit() {
    check(std::rename(temporary_.c_str(), path_.c_str()) == 0, ErrorCode::kIo,
          "{}: cannot be put in place: {}", path_, std::strerror(errno));
    committed_ = true;
  }

 private:
  std::string path_;
  std::string temporary_;
  bool committed_ = false;
};

/// Writes a whole file, or leaves what was there.
///
/// @throws Error kIo, kNotFound when the folder does not exist
inline void write_file_atomically(const std::string& path, std::span<const std::uint8_t> bytes) {
  PendingFile pending(path);
  std::unique_ptr<std::FILE, CDeleter<std::fclose>> file(
      std::fopen(pending.temporary().c_str(), "wb"));
  check(file != nullptr, ErrorCode::kIo, "{}: cannot be created: {}", path, std::strerror(errno));
  const bool written =
      bytes.empty() || std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size();
  const bool closed = std::fclose(file.release()) == 0;
  check(written && closed, ErrorCode::kIo, "{}: writing failed: {}", path, std::strerror(errno));
  pending.commit();
}

}  // namespace vostrack
