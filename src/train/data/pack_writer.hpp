/// Writing pack files.
///
///   PackWriter writer("vocaug.pack", PackCompression::kLabels);
///   writer.begin({RecordKind::kPicture, LabelKind::kObjects, "dog", "pets", "train"});
///   writer.add_frame(picture, labels);
///   writer.end();
///   writer.finish();                       // without it, nothing is left on the disk
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.hpp"
#include "train/data/pack.hpp"
#include "vostrack/types.hpp"

namespace vostrack::train {

/// Which planes are deflated.
enum class PackCompression {
  kLabels,  ///< labels only, which shrink fifty-fold; pictures are then read as fast as memory is
  kAll,     ///< pictures too: about three quarters of the size, a few milliseconds a frame to read
};

class PackWriter {
 public:
  /// @throws Error as AtomicFile
  PackWriter(const std::string& path, PackCompression compression);

  /// Begins a record.
  ///
  /// @throws Error kInvalidArgument for a name that is empty or longer than 4,096 bytes
  void begin(RecordHead head);
  /// @param labels  a byte a pixel: 0 background, 1 to 254 objects, 255 not known
  /// @throws Error kInvalidArgument naming the record when labels or picture have another size than
  ///   height and width say, or than the record's first frame
  void add_frame(const Image& picture, std::span<const std::uint8_t> labels);
  /// Ends the record.
  ///
  /// @throws Error kInvalidArgument naming the record when it has no frame, a picture has several,
  ///   or all labels of all frames are 255
  void end();
  /// Writes the index and gives the file its name.
  ///
  /// @throws Error kInvalidArgument without records; kIo
  void finish();

  std::size_t size() const noexcept { return records_; }
  std::uint64_t bytes() const noexcept { return position_; }

 private:
  void add_plane(std::span<const std::uint8_t> bytes, bool deflate);
  void write(std::span<const std::uint8_t> bytes);

  std::string path_;
  PackCompression compression_;
  AtomicFile file_;
  std::uint64_t position_ = 0;
  std::size_t records_ = 0;
  std::vector<std::uint8_t> index_;
  RecordInfo record_;                        ///< the one that is being written
  std::vector<std::uint8_t> plane_entries_;  ///< its planes, as the index has them
  std::vector<std::uint32_t> histograms_;    ///< its pixels by label, 256 a frame
};

}  // namespace vostrack::train
