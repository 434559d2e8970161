/// Pack files: decoded pictures with their masks, mapped into memory.
///
///   auto pack = PackReader::open("vocaug.pack");
///   for (std::size_t i = 0; i < pack->size(); ++i)
///     PackBytes rgb = pack->picture(i, 0), labels = pack->labels(i, 0);
///
/// A file is a header (8 bytes of signature, version and a reserved word of 4 bytes each), the
/// planes one after the other, an index of all records, and a footer that says where the index is.
/// Numbers are little-endian. Index, footer and every plane have a CRC-32. A plane is a frame's
/// picture, rows of RGB bytes, or its labels, a byte a pixel: 0 background, 1 to 254 objects, 255
/// not known. It is stored as it is or deflated, whichever the writer chose.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mapped_file.hpp"

namespace vostrack::train {

inline constexpr std::uint8_t kIgnoredLabel = 255;
inline constexpr std::uint32_t kPackVersion = 1;

enum class RecordKind : std::uint8_t {
  kPicture,  ///< one frame
  kClip,     ///< frames in the order of time, a label being the same object on all of them
};

/// What labels stand for.
enum class LabelKind : std::uint8_t {
  kObjects,  ///< things, each with a label
  kParts,    ///< parts of one thing, which all of them together are
  kRegions,  ///< parts of the picture that need be no things
};

/// What is said about a record.
struct RecordHead {
  RecordKind kind = RecordKind::kPicture;
  LabelKind labels = LabelKind::kObjects;
  std::string name;    ///< of the picture or clip
  std::string source;  ///< the dataset that it is from
  std::string split;   ///< such as train; may be empty
};

struct RecordInfo : RecordHead {
  int frames = 0;
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> ids;     ///< the labels that occur on any frame, ascending
  std::vector<std::uint32_t> areas;  ///< pixels, areas[frame * ids.size() + i] of ids[i]

  std::uint32_t area(int frame, std::size_t id_index) const {
    return areas[static_cast<std::size_t>(frame) * ids.size() + id_index];
  }
};

/// Bytes of a plane: in the mapped file, or inflated into memory of their own. Valid as long as any
/// copy of them is, even after the reader.
struct PackBytes {
  std::span<const std::uint8_t> bytes;
  std::shared_ptr<const void> owner;
};

/// Thread safety: reading is. A file that is cut short by another program while it is mapped ends
/// the process, as with any mapped file.
class PackReader {
 public:
  /// Reads and checks the index. Planes are checked when they are first read.
  ///
  /// @throws Error kNotFound, kIo; kCorruptFile for what is no whole pack file; kUnsupported for
  ///   another version
  static std::shared_ptr<const PackReader> open(const std::string& path);

  const std::string& path() const noexcept { return file_->path(); }
  std::size_t size() const noexcept { return records_.size(); }
  /// @throws Error kOutOfRange
  const RecordInfo& info(std::size_t record) const;

  /// Rows of RGB bytes, 3 * height * width.
  ///
  /// @throws Error kOutOfRange; kCorruptFile for a plane that fails its checksum
  PackBytes picture(std::size_t record, int frame) const;
  /// Labels, height * width.
  PackBytes labels(std::size_t record, int frame) const;

  /// Reads everything.
  ///
  /// @throws Error kCorruptFile as picture()
  void verify() const;

 private:
  friend class PackIndex;
  struct Plane {
    std::uint64_t offset = 0;
    std::uint64_t stored = 0;  ///< bytes in the file
    std::uint32_t crc32 = 0;   ///< of the bytes in the file
    bool deflated = false;
  };
  explicit PackReader(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {}
  PackBytes plane(std::size_t record, int frame, bool labels) const;

  std::shared_ptr<const MappedFile> file_;
  std::vector<RecordInfo> records_;
  std::vector<std::size_t> first_plane_;  ///< of each record; two for a frame, picture first
  std::vector<Plane> planes_;
  /// Which planes have passed their checksum.
  mutable std::vector<std::atomic<bool>> checked_;
};

}  // namespace vostrack::train
