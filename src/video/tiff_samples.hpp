/// What of a TIFF's samples OpenCV would misread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "video/tiff_directory.hpp"

namespace vostrack::video {

/// Refuses a page of anything but unsigned samples of up to 16 bits.
///
/// @param name  of the page, for the error
/// @throws Error kUnsupported
void check_samples(const TiffDirectory& page, const std::string& name);

/// A TIFF whose alpha counts as multiplied into its colours, so that OpenCV, which would multiply
/// them otherwise, leaves them as they are.
///
/// @param pages  how many to look at
/// @return all bytes of the file; none where no page has alpha of the other kind
///
/// Source: TIFF revision 6.0, ExtraSamples
std::vector<std::uint8_t> with_colours_left_alone(std::span<const std::uint8_t> tiff,
                                                  std::int64_t pages);

/// Makes the page whose directory lies there the file's first, the one that is decoded.
void put_first(std::span<std::uint8_t> tiff, std::int64_t place);

}  // namespace vostrack::video
