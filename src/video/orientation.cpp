#include "video/orientation.hpp"

#include <cstdlib>
#include <cstring>

namespace vostrack::video {

Orientation orientation_of(std::span<const std::int32_t, 9> matrix) {
  const std::int64_t x_from_p = matrix[0], y_from_p = matrix[1];
  const std::int64_t x_from_q = matrix[3], y_from_q = matrix[4];
  if (std::llabs(x_from_p) >= std::llabs(y_from_p))
    return {.transposed = false, .mirrored_x = x_from_p < 0, .mirrored_y = y_from_q < 0};
  return {.transposed = true, .mirrored_x = x_from_q < 0, .mirrored_y = y_from_p < 0};
}

Image upright(const std::uint8_t* rgb, std::ptrdiff_t stride, int height, int width,
              Orientation orientation, Image image) {
  image.height = orientation.transposed ? width : height;
  image.width = orientation.transposed ? height : width;
  image.rgb.resize(std::size_t{3} * image.height * image.width);
  if (orientation == Orientation{}) {
    for (int y = 0; y < height; ++y)
      std::memcpy(image.rgb.data() + std::size_t{3} * y * width, rgb + y * stride,
                  std::size_t{3} * width);
    return image;
  }
  // Bytes from one upright pixel to the next, and from one upright row to the next.
  std::ptrdiff_t step_x = orientation.transposed ? stride : 3;
  std::ptrdiff_t step_y = orientation.transposed ? 3 : stride;
  const std::uint8_t* start = rgb;
  if (orientation.mirrored_x) {
    start += (image.width - 1) * step_x;
    step_x = -step_x;
  }
  if (orientation.mirrored_y) {
    start += (image.height - 1) * step_y;
    step_y = -step_y;
  }
  std::uint8_t* out = image.rgb.data();
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* in = start + y * step_y;
    for (int x = 0; x < image.width; ++x, in += step_x, out += 3) {
      out[0] = in[0];
      out[1] = in[1];
      out[2] = in[2];
    }
  }
  return image;
}

}  // namespace vostrack::video
