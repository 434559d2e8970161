#include "video/tiff_directory.hpp"

namespace vostrack::video {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// What lies beyond the end reads as 0.
std::int64_t number_at(Bytes bytes, std::int64_t place, int count, bool big_endian) {
  std::int64_t value = 0;
  for (int i = 0; i < count; ++i) {
    const std::int64_t at = place + (big_endian ? i : count - 1 - i);
    const bool inside = at >= 0 && at < static_cast<std::int64_t>(bytes.size());
    value = value << 8 | (inside ? bytes[static_cast<std::size_t>(at)] : 0);
  }
  return value;
}

}  // namespace

TiffDirectory::TiffDirectory(Bytes tiff, bool big_endian, std::int64_t at)
    : tiff_(tiff),
      big_endian_(big_endian),
      place_(at),
      entries_(static_cast<int>(number_at(tiff, at, 2, big_endian))) {}

std::optional<TiffDirectory> TiffDirectory::at(Bytes tiff, bool big_endian,
                                               std::int64_t offset_place) {
  const std::int64_t offset = number_at(tiff, offset_place, 4, big_endian);
  if (offset < 8 || offset + 2 > static_cast<std::int64_t>(tiff.size())) return std::nullopt;
  return TiffDirectory(tiff, big_endian, offset);
}

std::optional<TiffDirectory> TiffDirectory::first(Bytes tiff) {
  if (tiff.size() < 8 || tiff[0] != tiff[1] || (tiff[0] != 'I' && tiff[0] != 'M'))
    return std::nullopt;
  const bool big_endian = tiff[0] == 'M';
  if (number_at(tiff, 2, 2, big_endian) != 42) return std::nullopt;
  return at(tiff, big_endian, 4);
}

std::optional<TiffDirectory> TiffDirectory::next() const {
  return at(tiff_, big_endian_, entry(entries_));
}

/// Bytes of one of an entry's values; 0 unless they are whole numbers.
int TiffDirectory::size_of_values(std::int64_t entry) const {
  switch (number_at(tiff_, entry + 2, 2, big_endian_)) {
    case 1:
      return 1;
    case 3:
      return 2;
    case 4:
      return 4;
    default:
      return 0;
  }
}

std::optional<std::int64_t> TiffDirectory::find(int tag) const {
  for (int i = 0; i < entries_; ++i)
    if (number_at(tiff_, entry(i), 2, big_endian_) == tag && size_of_values(entry(i)) > 0)
      return entry(i);
  return std::nullopt;
}

std::optional<std::int64_t> TiffDirectory::place_of(int tag) const {
  const auto entry = find(tag);
  if (!entry) return std::nullopt;
  const bool inside = number_at(tiff_, *entry + 4, 4, big_endian_) * size_of_values(*entry) <= 4;
  return inside ? *entry + 8 : number_at(tiff_, *entry + 8, 4, big_endian_);
}

std::optional<std::int64_t> TiffDirectory::number(int tag) const {
  const auto entry = find(tag), place = place_of(tag);
  if (!place) return std::nullopt;
  return number_at(tiff_, *place, size_of_values(*entry), big_endian_);
}

}  // namespace vostrack::video
