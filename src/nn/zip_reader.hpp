/// Zip archives as torch.save writes them: stored or deflated entries, also above 4 GiB.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mapped_file.hpp"
#include "nn/shared_bytes.hpp"

namespace vostrack::nn {

/// The entries of a mapped archive.
///
/// The constructor checks the whole directory: every offset and size lies within the file, entries
/// do not overlap, and none claims to inflate further than deflate can.
class ZipReader {
 public:
  struct Entry {
    bool deflated = false;
    std::uint32_t crc32 = 0;
    std::uint64_t data_offset = 0;
    std::uint64_t packed_size = 0;
    std::uint64_t size = 0;
  };

  /// @throws Error kCorruptFile when the archive contradicts itself, kUnsupported when it is
  ///   encrypted, split or compressed by another method than deflate
  explicit ZipReader(std::shared_ptr<const MappedFile> file);

  const MappedFile& file() const { return *file_; }
  const std::map<std::string, Entry>& entries() const { return entries_; }

  /// Its bytes as they are if stored, else inflated into memory; the caller has taken
  /// `memory_needed` from its budget. May be called from several threads.
  ///
  /// @throws Error kCorruptFile when the entry inflates to another size than declared or fails its
  ///   checksum
  SharedBytes read(const std::string& name) const;

  std::uint64_t memory_needed(const std::string& name) const;

 private:
  const Entry& entry(const std::string& name) const;

  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, Entry> entries_;
};

}  // namespace vostrack::nn
