#include "train/log/png.hpp"

#include <zlib.h>

#include <cstddef>
#include <vector>

#include "base/check.hpp"

namespace vostrack::train {
namespace {

void put_big_endian(std::string& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift & 255);
}

void put_chunk(std::string& to, const std::string& type, const std::string& data) {
  put_big_endian(to, static_cast<std::uint32_t>(data.size()));
  const std::string checked = type + data;
  to += checked;
  put_big_endian(to, static_cast<std::uint32_t>(::crc32_z(
                         0, reinterpret_cast<const Bytef*>(checked.data()), checked.size())));
}

}  // namespace

std::string encode_png(const Image& image) {
  const auto height = static_cast<std::size_t>(image.height);
  const auto row = 3 * static_cast<std::size_t>(image.width);
  check(image.height > 0 && image.width > 0 && image.rgb.size() == height * row,
        ErrorCode::kInvalidArgument, "a picture of {}x{} with {} bytes", image.width, image.height,
        image.rgb.size());
  // Each row as its differences to the pixel before (filter 1), which photographs shrink by.
  std::vector<Bytef> rows;
  rows.reserve(height * (row + 1));
  for (std::size_t y = 0; y < height; ++y) {
    rows.push_back(1);
    const std::uint8_t* pixels = image.rgb.data() + y * row;
    for (std::size_t i = 0; i < row; ++i)
      rows.push_back(static_cast<Bytef>(pixels[i] - (i < 3 ? 0 : pixels[i - 3])));
  }
  uLongf size = ::compressBound(rows.size());
  std::string packed(size, '\0');
  check(::compress2(reinterpret_cast<Bytef*>(packed.data()), &size, rows.data(), rows.size(), 6) ==
            Z_OK,
        ErrorCode::kOutOfMemory, "deflating a picture of {} bytes failed", rows.size());
  packed.resize(size);

  std::string header;
  put_big_endian(header, static_cast<std::uint32_t>(image.width));
  put_big_endian(header, static_cast<std::uint32_t>(image.height));
  header += {8, 2, 0, 0, 0};  // bits a channel, RGB, deflate, filters, not interlaced
  std::string png = "\x89PNG\r\n\x1a\n";
  put_chunk(png, "IHDR", header);
  put_chunk(png, "IDAT", packed);
  put_chunk(png, "IEND", "");
  return png;
}

}  // namespace vostrack::train
