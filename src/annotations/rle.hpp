/// Run-length encoded masks as COCO stores them.
///
///   Rle rle = encode_rle(mask);
///   std::string counts = to_coco_string(rle);            // the "counts" of a COCO file
///   Mask again = decode_rle(from_coco_string(counts, mask.height, mask.width));
///
/// Pixels are counted column by column, the first run is background and may be empty.
///
/// Source: cocoapi, common/maskApi.c
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::annotations {

struct Rle {
  int height = 0;
  int width = 0;
  /// Lengths of runs of 0, 1, 0, … that add up to height * width.
  std::vector<std::uint32_t> counts;

  bool operator==(const Rle&) const = default;

  /// @throws Error kInvalidArgument unless the runs fit the size
  void validate() const;
};

/// @throws Error kInvalidArgument for a mask whose buffer has another size
Rle encode_rle(const Mask& mask);

/// @throws Error kInvalidArgument unless the runs fit the size
Mask decode_rle(const Rle& rle);

/// The compressed form: differences to the run before last, five bits to a character.
std::string to_coco_string(const Rle& rle);

/// @throws Error kCorruptFile for a string that is damaged or does not fit the size
Rle from_coco_string(std::string_view text, int height, int width);

/// Number of pixels in the mask.
std::int64_t area(const Rle& rle);

/// The tightest box around the mask, with exclusive ends; nothing for an empty mask. COCO files
/// have x, y, width and height instead.
std::optional<Box> bounding_box(const Rle& rle);

}  // namespace vostrack::annotations
