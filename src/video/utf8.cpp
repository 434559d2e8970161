#include "video/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace vostrack::video {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_character(char32_t c) {
  return c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

/// Bytes of a character that starts with this one; 0 for none.
std::size_t length_of(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

}  // namespace

std::u32string code_points(const std::string& text) {
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
    const std::size_t length = length_of(byte(i));
    bool whole = length > 0 && i + length <= text.size();
    char32_t character = length <= 1 ? byte(i) : byte(i) & (0x7F >> length);
    for (std::size_t k = 1; whole && k < length; ++k) {
      whole = (byte(i + k) & 0xC0) == 0x80;
      character = character << 6 | (byte(i + k) & 0x3F);
    }
    whole = whole && character >= kSmallest[length] && is_character(character);
    result += whole ? character : kReplacement;
    i += whole ? length : 1;
  }
  return result;
}

std::string utf8(char32_t c) {
  if (!is_character(c)) c = kReplacement;
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

}  // namespace vostrack::video
