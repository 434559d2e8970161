/// Masks as people give them.
#pragma once

#include <string>

#include "annotations/palette_png.hpp"
#include "vostrack/types.hpp"

namespace vostrack::cli {

/// Where the labels are not 0.
Mask mask_of_all(const annotations::LabelImage& image);

/// Reads a mask from any picture: where an indexed or grey PNG is not 0, where any other picture is
/// not black.
///
/// @throws Error kNotFound, kIo, kDecode, kCorruptFile, kUnsupported
Mask read_mask(const std::string& path);

}  // namespace vostrack::cli
