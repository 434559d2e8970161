#include "train/data/pack.hpp"

#include <zlib.h>

#include <algorithm>

#include "base/byte_reader.hpp"
#include "base/check.hpp"
#include "train/data/pack_format.hpp"

namespace vostrack::train {
namespace {

using namespace pack_format;

std::uint32_t checksum(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
}

std::string text(ByteReader& reader, const std::string& path) {
  const auto length = reader.read<std::uint16_t>();
  check(length <= kMaxText, ErrorCode::kCorruptFile, "{}: a name of {} bytes, want at most {}",
        path, length, kMaxText);
  return reader.take_string(length);
}

}  // namespace

/// Takes the index apart.
class PackIndex {
 public:
  explicit PackIndex(PackReader& pack)
      : pack_(pack), path_(pack.path()), bytes_(pack.file_->bytes()) {}

  void read() {
    check_header();
    ByteReader footer(path_ + ": footer", bytes_.last(kFooterSize));
    const auto offset = footer.read<std::uint64_t>();
    const auto size = footer.read<std::uint64_t>();
    const auto records = footer.read<std::uint64_t>();
    const auto crc = footer.read<std::uint32_t>();
    const std::uint64_t end = bytes_.size() - kFooterSize;
    check(footer.read<std::uint32_t>() == checksum(bytes_.last(kFooterSize).first(kFooterChecked)),
          ErrorCode::kCorruptFile, "{}: the footer fails its checksum", path_);
    check(offset >= kHeaderSize && offset <= end && size == end - offset, ErrorCode::kCorruptFile,
          "{}: index of {} bytes at {}, want it to end at {}", path_, size, offset, end);
    const auto index = bytes_.subspan(offset, size);
    check(checksum(index) == crc, ErrorCode::kCorruptFile, "{}: the index fails its checksum",
          path_);
    check(records <= size / kSmallestRecord, ErrorCode::kCorruptFile,
          "{}: {} records in an index of {} bytes", path_, records, size);
    planes_end_ = offset;
    ByteReader reader(path_ + ": index", index);
    pack_.records_.reserve(records);
    for (std::uint64_t i = 0; i < records; ++i) read_record(reader);
    check(reader.remaining() == 0, ErrorCode::kCorruptFile, "{}: {} bytes after the last record",
          path_, reader.remaining());
    pack_.checked_ = std::vector<std::atomic<bool>>(pack_.planes_.size());
  }

 private:
  void check_header() const {
    check(bytes_.size() >= kHeaderSize + kFooterSize &&
              std::equal(kSignature.begin(), kSignature.end(), bytes_.begin()),
          ErrorCode::kCorruptFile, "{}: is no pack file", path_);
    ByteReader reader(path_, bytes_, kSignature.size());
    const auto version = reader.read<std::uint32_t>();
    check(version == kPackVersion, ErrorCode::kUnsupported, "{}: version {}, want {}", path_,
          version, kPackVersion);
    check(std::equal(kEnd.begin(), kEnd.end(), bytes_.last(kEnd.size()).begin()),
          ErrorCode::kCorruptFile, "{}: cut short, does not end as a pack file does", path_);
  }

  void read_record(ByteReader& reader) {
    RecordInfo info;
    const auto kind = reader.read<std::uint8_t>();
    const auto labels = reader.read<std::uint8_t>();
    check(kind <= static_cast<int>(RecordKind::kClip) &&
              labels <= static_cast<int>(LabelKind::kRegions),
          ErrorCode::kCorruptFile, "{}: record of kind {} with labels of kind {}", path_, kind,
          labels);
    info.kind = static_cast<RecordKind>(kind);
    info.labels = static_cast<LabelKind>(labels);
    info.name = text(reader, path_);
    info.source = text(reader, path_);
    info.split = text(reader, path_);
    const auto frames = reader.read<std::uint32_t>();
    const auto height = reader.read<std::uint32_t>();
    const auto width = reader.read<std::uint32_t>();
    const auto ids = reader.read<std::uint16_t>();
    check(frames > 0 && frames <= reader.remaining() / (2 * kPlaneSize) && height > 0 &&
              width > 0 && height <= kMaxSide && width <= kMaxSide &&
              std::int64_t{height} * width <= kMaxPixels && ids < kIgnoredLabel,
          ErrorCode::kCorruptFile, "{}: record {} claims {} frames of {}x{} with {} objects", path_,
          info.name, frames, width, height, ids);
    info.frames = static_cast<int>(frames);
    info.height = static_cast<int>(height);
    info.width = static_cast<int>(width);
    const auto labels_taken = reader.take(ids);
    info.ids.assign(labels_taken.begin(), labels_taken.end());
    check(std::is_sorted(info.ids.begin(), info.ids.end(), std::less_equal<>()) &&
              (info.ids.empty() || (info.ids.front() > 0 && info.ids.back() < kIgnoredLabel)),
          ErrorCode::kCorruptFile, "{}: record {}: its labels are not ascending", path_, info.name);
    const std::uint64_t areas = std::uint64_t{frames} * ids;
    check(areas <= reader.remaining() / sizeof(std::uint32_t), ErrorCode::kCorruptFile,
          "{}: record {}: the index is cut short", path_, info.name);
    info.areas.resize(areas);
    for (std::uint32_t& area : info.areas) area = reader.read<std::uint32_t>();
    pack_.first_plane_.push_back(pack_.planes_.size());
    const std::uint64_t pixels = std::uint64_t{height} * width;
    for (std::uint32_t frame = 0; frame < frames; ++frame) {
      read_plane(reader, info, 3 * pixels);
      read_plane(reader, info, pixels);
    }
    pack_.records_.push_back(std::move(info));
  }

  void read_plane(ByteReader& reader, const RecordInfo& info, std::uint64_t size) {
    PackReader::Plane plane;
    plane.offset = reader.read<std::uint64_t>();
    plane.stored = reader.read<std::uint64_t>();
    plane.crc32 = reader.read<std::uint32_t>();
    const auto deflated = reader.read<std::uint8_t>();
    plane.deflated = deflated == 1;
    check(deflated <= 1 && plane.offset >= kHeaderSize && plane.offset <= planes_end_ &&
              plane.stored <= planes_end_ - plane.offset &&
              (plane.deflated ? size / kMaxRatio <= plane.stored : size == plane.stored),
          ErrorCode::kCorruptFile, "{}: record {}: {} bytes at {} for a plane of {}", path_,
          info.name, plane.stored, plane.offset, size);
    pack_.planes_.push_back(plane);
  }

  PackReader& pack_;
  const std::string& path_;
  std::span<const std::uint8_t> bytes_;
  std::uint64_t planes_end_ = 0;
};

std::shared_ptr<const PackReader> PackReader::open(const std::string& path) {
  const std::shared_ptr<PackReader> pack(new PackReader(MappedFile::open(path)));
  PackIndex(*pack).read();
  return pack;
}

const RecordInfo& PackReader::info(std::size_t record) const {
  check(record < records_.size(), ErrorCode::kOutOfRange, "{}: record {}, want 0 to {}", path(),
        record, static_cast<std::int64_t>(records_.size()) - 1);
  return records_[record];
}

PackBytes PackReader::picture(std::size_t record, int frame) const {
  return plane(record, frame, false);
}

PackBytes PackReader::labels(std::size_t record, int frame) const {
  return plane(record, frame, true);
}

PackBytes PackReader::plane(std::size_t record, int frame, bool labels) const {
  const RecordInfo& about = info(record);
  check(frame >= 0 && frame < about.frames, ErrorCode::kOutOfRange,
        "{}: record {}: frame {}, want 0 to {}", path(), about.name, frame, about.frames - 1);
  const std::size_t number = first_plane_[record] + 2 * static_cast<std::size_t>(frame) + labels;
  const Plane& plane = planes_[number];
  const auto stored = file_->bytes().subspan(plane.offset, plane.stored);
  if (!checked_[number].load(std::memory_order_relaxed)) {
    check(checksum(stored) == plane.crc32, ErrorCode::kCorruptFile,
          "{}: record {}: the {} of frame {} fail their checksum", path(), about.name,
          labels ? "labels" : "pixels", frame);
    checked_[number].store(true, std::memory_order_relaxed);
  }
  if (!plane.deflated) return {stored, file_};

  const auto size = static_cast<std::size_t>(about.height) * static_cast<std::size_t>(about.width) *
                    (labels ? 1 : 3);
  auto memory = std::make_shared_for_overwrite<std::uint8_t[]>(size);
  uLongf inflated = size;
  uLong taken = stored.size();
  const int status = ::uncompress2(memory.get(), &inflated, stored.data(), &taken);
  check(status == Z_OK && inflated == size && taken == stored.size(), ErrorCode::kCorruptFile,
        "{}: record {}: the {} of frame {} cannot be inflated to {} bytes", path(), about.name,
        labels ? "labels" : "pixels", frame, size);
  return {{memory.get(), size}, memory};
}

void PackReader::verify() const {
  for (std::size_t record = 0; record < size(); ++record)
    for (int frame = 0; frame < records_[record].frames; ++frame) {
      picture(record, frame);
      labels(record, frame);
    }
}

}  // namespace vostrack::train
