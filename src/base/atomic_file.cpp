#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/check.hpp"

namespace vostrack {

PendingFile::PendingFile(const std::string& path) : path_(path) {
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

PendingFile::~PendingFile() {
  if (!committed_) std::remove(temporary_.c_str());
}

void PendingFile::commit() {
  check(std::rename(temporary_.c_str(), path_.c_str()) == 0, ErrorCode::kIo,
        "{}: cannot be put in place: {}", path_, std::strerror(errno));
  committed_ = true;
}

AtomicFile::AtomicFile(const std::string& path) : pending_(path) {
  // Unlike mkstemp's, this one gets the permissions of any new file.
  fd_ = ::open(pending_.temporary().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd_ < 0) fail_io("cannot be created");
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
}

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB at once.
    const ssize_t written =
        ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), 1U << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_io("writing failed");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit(Durability durability) {
  const bool flush = durability == Durability::kFlushed;
  if (flush && ::fsync(fd_) != 0) fail_io("cannot be flushed to the disk");
  const int closed = ::close(fd_);
  fd_ = -1;
  if (closed != 0) fail_io("writing failed");
  pending_.commit();
  if (!flush) return;
  // The rename itself survives a power cut only once the folder is flushed. Some file systems
  // cannot flush folders; the file is complete either way.
  const std::string folder = std::filesystem::path(pending_.path()).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

void AtomicFile::fail_io(const char* action) const {
  fail(ErrorCode::kIo, "{}: {}: {}", pending_.path(), action, std::strerror(errno));
}

void write_file_atomically(const std::string& path, std::span<const std::uint8_t> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit(Durability::kUnflushed);
}

}  // namespace vostrack
