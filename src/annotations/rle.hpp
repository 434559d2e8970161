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

#include <algorithm>
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

/// Calls visit(x, first, last) for the rows first ≤ y < last of column x that are in the mask, from
/// left to right and down.
///
/// @throws Error kInvalidArgument unless the runs fit the size
template <class Visit>
void for_each_stretch(const Rle& rle, const Visit& visit) {
  rle.validate();
  std::int64_t at = 0;
  for (std::size_t i = 0; i < rle.counts.size(); ++i) {
    const std::int64_t end = at + rle.counts[i];
    while (i % 2 == 1 && at < end) {
      const std::int64_t x = at / rle.height, top = x * rle.height;
      const std::int64_t stop = std::min(end, top + rle.height);
      visit(x, at - top, stop - top);
      at = stop;
    }
    at = end;
  }
}

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
