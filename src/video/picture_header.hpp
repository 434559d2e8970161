/// What a picture's first bytes promise, before any memory is set aside for it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "video/orientation.hpp"

namespace vostrack::video {

/// More than any camera has; a header that claims more is damaged or hostile.
inline constexpr std::int64_t kMaxPicturePixels = std::int64_t{1} << 28;

struct PictureHeader {
  std::int64_t height = 0;
  std::int64_t width = 0;
  /// The mark that ends the picture is missing.
  bool cut_short = false;
};

/// Reads the size from a JPEG, PNG, BMP or TIFF (its first page); nothing for other formats or a
/// broken header.
std::optional<PictureHeader> picture_header(std::span<const std::uint8_t> bytes);

/// How a WebP says that it lies, by its EXIF data; nothing for other formats.
///
/// Source: RFC 9649, section 2.7; CIPA DC-008, 4.6.5 (Orientation)
std::optional<Orientation> webp_orientation(std::span<const std::uint8_t> bytes);

}  // namespace vostrack::video
