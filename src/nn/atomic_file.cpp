#include "nn/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/check.hpp"

namespace vostrack::nn {

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  static std::atomic<unsigned> counter{0};
  // mkstemp would make it private; this one gets the permissions of any new file.
  do {
    temporary_ = fmt::format("{}.{}-{}.tmp", path_, ::getpid(), counter++);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) fail_io("cannot create it");
}

AtomicFile::~AtomicFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB at once.
    const ssize_t written =
        ::write(fd_, bytes.data(), std::min<std::size_t>(bytes.size(), 1U << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_io("cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) fail_io("cannot flush it to the disk");
  const int closed = ::close(fd_);
  fd_ = -1;
  if (closed != 0) fail_io("cannot close it");
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_io("cannot rename it into place");
  temporary_.clear();
  // The rename itself survives a power cut only once the folder is flushed. Some file systems
  // cannot flush folders; the file is complete either way.
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

void AtomicFile::fail_io(const char* action) const {
  fail(ErrorCode::kIo, "{}: {}: {}", path_, action, std::strerror(errno));
}

}  // namespace vostrack::nn
