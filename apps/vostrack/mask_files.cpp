#include "apps/vostrack/mask_files.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <string_view>

#include "video/picture_io.hpp"

namespace vostrack::cli {
namespace {

/// A PNG's header says whether it has colours: bit 1 of the colour type, without a palette (bit 0).
bool is_png_with_labels(const std::string& path) {
  constexpr std::string_view kSignature = "\x89PNG\r\n\x1a\n";
  constexpr std::size_t kColourTypeAt = 25;
  std::array<char, kColourTypeAt + 1> header{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(header.data(), header.size())) return false;
  const int colour_type = header[kColourTypeAt];
  const bool coloured = (colour_type & 2) != 0 && (colour_type & 1) == 0;
  return std::string_view(header.data(), kSignature.size()) == kSignature && !coloured;
}

}  // namespace

Mask mask_of_all(const annotations::LabelImage& image) {
  Mask mask{image.height, image.width, image.labels};
  for (std::uint8_t& value : mask.data) value = value != 0;
  return mask;
}

Mask read_mask(const std::string& path) {
  if (is_png_with_labels(path)) return mask_of_all(annotations::read_label_png(path));
  const Image image = video::read_picture(path);
  Mask mask{image.height, image.width, std::vector<std::uint8_t>(image.rgb.size() / 3)};
  for (std::size_t i = 0; i < mask.data.size(); ++i)
    mask.data[i] = std::any_of(image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i),
                               image.rgb.begin() + static_cast<std::ptrdiff_t>(3 * i + 3),
                               [](std::uint8_t value) { return value != 0; });
  return mask;
}

}  // namespace vostrack::cli
