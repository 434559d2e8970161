/// Files that appear whole or not at all.
///
///   AtomicFile file("tiny.safetensors");
///   file.write(bytes);
///   file.commit(Durability::kFlushed);     // without it, the temporary file is removed
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace vostrack {

/// The name of a file that is being written, in the folder of its final one, so that the renaming
/// never crosses file systems. For writers that open their file by name.
class PendingFile {
 public:
  /// @throws Error kNotFound when the folder does not exist, kInvalidArgument without a file name
  explicit PendingFile(const std::string& path);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const noexcept { return path_; }
  const std::string& temporary() const noexcept { return temporary_; }

  /// Gives the file its final name, replacing what was there.
  ///
  /// @throws Error kIo
  void commit();

 private:
  std::string path_;
  std::string temporary_;
  bool committed_ = false;
};

enum class Durability {
  kUnflushed,  ///< survives a crash of the program
  kFlushed,    ///< survives a power cut, at the price of waiting for the disk
};

/// A file that is written piece by piece.
class AtomicFile {
 public:
  /// @throws Error as PendingFile; kIo when the folder is not writable
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// @throws Error kIo when the disk is full or fails
  void write(std::span<const std::uint8_t> bytes);

  /// @throws Error kIo as above
  void commit(Durability durability);

 private:
  [[noreturn]] void fail_io(const char* action) const;

  PendingFile pending_;
  int fd_ = -1;
};

/// Writes a whole file, or leaves what was there.
///
/// @throws Error kIo; kNotFound when the folder does not exist
void write_file_atomically(const std::string& path, std::span<const std::uint8_t> bytes);

}  // namespace vostrack
