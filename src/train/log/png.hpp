/// PNG pictures in memory.
#pragma once

#include <cstdint>
#include <string>

#include "vostrack/types.hpp"

namespace vostrack::train {

/// An 8-bit RGB picture as a PNG file's bytes.
///
/// @throws Error kInvalidArgument for an empty picture or a buffer of another size
///
/// Source: RFC 2083
std::string encode_png(const Image& image);

}  // namespace vostrack::train
