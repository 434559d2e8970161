/// What a picture's first bytes promise, before any memory is set aside for it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace vostrack::video {

struct PictureHeader {
  std::int64_t height = 0;
  std::int64_t width = 0;
  /// The mark that ends the picture is missing.
  bool cut_short = false;
};

/// Reads the size from a JPEG, PNG or BMP; nothing for other formats or a broken header.
std::optional<PictureHeader> picture_header(std::span<const std::uint8_t> bytes);

}  // namespace vostrack::video
