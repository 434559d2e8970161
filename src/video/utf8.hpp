/// Text as characters.
#pragma once

#include <string>

namespace vostrack::video {

/// The code points of a text in UTF-8. Each byte that is no part of a character becomes U+FFFD.
std::u32string code_points(const std::string& text);

/// One character as UTF-8; U+FFFD for what is no character.
std::string utf8(char32_t character);

}  // namespace vostrack::video
