/// What JPEG does to a picture, without the file.
#pragma once

#include <cstdint>
#include <span>

namespace vostrack::train {

/// Quantises the cosine transform of 8×8 blocks of luma, and of chroma at half the size, by the
/// tables that libjpeg derives from a quality: the losses of a baseline JPEG with 4:2:0 chroma
/// (which is averaged down and repeated up), whose lossless part need not be done. Blocks that
/// stick out are filled with the last row and column.
///
/// @param planes   3 planes of size * size bytes, changed in place
/// @param quality  1 to 100, as libjpeg counts
///
/// Source: ITU-T T.81, A.3.3 and tables K.1 and K.2
void add_jpeg_flaws(std::span<std::uint8_t> planes, int size, int quality);

}  // namespace vostrack::train
