#include "video/picture_header.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include "video/tiff_directory.hpp"

namespace vostrack::video {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::int64_t big_endian(Bytes bytes, std::size_t at, int count) {
  std::int64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[at + i];
  return value;
}

std::int32_t little_endian_32(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | bytes[at + i];
  return static_cast<std::int32_t>(value);
}

bool contains(Bytes bytes, Bytes wanted) {
  return std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end()) != bytes.end();
}

std::string_view text(Bytes bytes, std::size_t at, std::size_t count) {
  return {reinterpret_cast<const char*>(bytes.data()) + at, count};
}

/// @param value  of EXIF's tag
Orientation orientation_of_exif(std::int64_t value) {
  switch (value) {
    case 2:
      return {.transposed = false, .mirrored_x = true, .mirrored_y = false};
    case 3:
      return {.transposed = false, .mirrored_x = true, .mirrored_y = true};
    case 4:
      return {.transposed = false, .mirrored_x = false, .mirrored_y = true};
    case 5:
      return {.transposed = true, .mirrored_x = false, .mirrored_y = false};
    case 6:
      return {.transposed = true, .mirrored_x = true, .mirrored_y = false};
    case 7:
      return {.transposed = true, .mirrored_x = true, .mirrored_y = true};
    case 8:
      return {.transposed = true, .mirrored_x = false, .mirrored_y = true};
    default:
      return {};
  }
}

/// Walks the segments to the first scan; thumbnails hide inside segments and are stepped over.
std::optional<PictureHeader> jpeg_header(Bytes bytes) {
  constexpr std::array<std::uint8_t, 2> kEnd = {0xff, 0xd9};
  PictureHeader header;
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xff) {
    const int marker = bytes[at + 1];
    if (marker == 0xff) {  // padding
      ++at;
      continue;
    }
    const auto length = static_cast<std::size_t>(big_endian(bytes, at + 2, 2));
    const bool frame_header =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame_header && at + 9 <= bytes.size()) {
      header.height = big_endian(bytes, at + 5, 2);
      header.width = big_endian(bytes, at + 7, 2);
    }
    if (marker == 0xda) {
      header.cut_short = !contains(bytes.subspan(at), kEnd);
      return header.height > 0 ? std::optional(header) : std::nullopt;
    }
    at += 2 + length;
  }
  return std::nullopt;
}

}  // namespace

std::optional<PictureHeader> picture_header(Bytes bytes) {
  constexpr std::array<std::uint8_t, 8> kPng = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::array<std::uint8_t, 4> kPngEnd = {'I', 'E', 'N', 'D'};
  if (bytes.size() >= 33 && std::equal(kPng.begin(), kPng.end(), bytes.begin()))
    return PictureHeader{.height = big_endian(bytes, 20, 4),
                         .width = big_endian(bytes, 16, 4),
                         .cut_short = !contains(bytes.subspan(33), kPngEnd)};
  if (bytes.size() >= 4 && bytes[0] == 0xff && bytes[1] == 0xd8) return jpeg_header(bytes);
  if (bytes.size() >= 26 && bytes[0] == 'B' && bytes[1] == 'M')
    return PictureHeader{
        .height = std::llabs(std::int64_t{little_endian_32(bytes, 22)}),  // < 0: top row first
        .width = little_endian_32(bytes, 18),
        .cut_short = false};
  if (const auto page = TiffDirectory::first(bytes)) {
    const auto height = page->number(kTiffHeight), width = page->number(kTiffWidth);
    if (height && width) return PictureHeader{.height = *height, .width = *width};
  }
  return std::nullopt;
}

std::optional<Orientation> webp_orientation(Bytes bytes) {
  if (bytes.size() < 12 || text(bytes, 0, 4) != "RIFF" || text(bytes, 8, 4) != "WEBP")
    return std::nullopt;
  for (std::size_t at = 12; at + 8 <= bytes.size();) {
    const std::size_t size = static_cast<std::uint32_t>(little_endian_32(bytes, at + 4));
    if (size > bytes.size() - at - 8) break;
    if (text(bytes, at, 4) == "EXIF") {
      Bytes exif = bytes.subspan(at + 8, size);
      // JPEG's prefix, which some writers leave in.
      if (size > 6 && text(exif, 0, 4) == "Exif") exif = exif.subspan(6);
      const auto tags = TiffDirectory::first(exif);
      return orientation_of_exif(tags ? tags->number(kTiffOrientation).value_or(1) : 1);
    }
    at += 8 + size + size % 2;
  }
  return Orientation{};
}

}  // namespace vostrack::video
