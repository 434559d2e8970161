/// Many pictures on one.
#pragma once

#include <span>
#include <string>

#include "vostrack/types.hpp"

namespace vostrack::video {

struct CaptionedImage {
  Image image;
  std::string caption;
};

/// Lays pictures out row by row, each shrunk or grown to the width of a cell with its caption
/// (UTF-8) in a strip below, on a dark ground. Cells are as high as the highest picture needs;
/// others sit in their middle.
///
/// @throws Error kInvalidArgument without pictures, for fewer than 1 column, for cells narrower
///   than 16 pixels, and for a sheet of more than 2^28 pixels
Image contact_sheet(std::span<const CaptionedImage> pictures, int columns, int cell_width);

}  // namespace vostrack::video
