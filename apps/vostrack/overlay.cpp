#include "apps/vostrack/overlay.hpp"

#include <algorithm>
#include <cmath>

#include "annotations/rle.hpp"
#include "base/check.hpp"
#include "video/drawing.hpp"

namespace vostrack::cli {

void draw_objects(Image& image, const annotations::LabelImage& labels, ObjectNames names) {
  // Names come last, so that no object covers another's.
  struct Name {
    Box box;
    int id;
  };
  std::vector<Name> to_name;
  for (std::uint8_t label : annotations::labels_in(labels)) {
    const Mask mask = annotations::mask_of(labels, label);
    video::draw_mask(image, mask, video::object_colour(label));
    if (names == ObjectNames::kNone) continue;
    if (const auto box = annotations::bounding_box(annotations::encode_rle(mask)))
      to_name.push_back({*box, label});
  }
  for (const Name& name : to_name)
    video::draw_label(image, name.box.x0, name.box.y0, std::to_string(name.id),
                      video::object_colour(name.id));
}

Image titled_thumbnail(const Image& image, int width, const std::string& title) {
  const double scale = static_cast<double>(width) / image.width;
  const int height = std::max(1, static_cast<int>(std::lround(image.height * scale)));
  Image small = video::resize(image, height, width);
  constexpr Rgb kBlack{};
  video::draw_label(small, 0, static_cast<float>(height), title, kBlack);
  return small;
}

Image grid_of(const std::vector<Image>& pictures, int columns, int margin) {
  VOSTRACK_ASSERT(!pictures.empty() && columns > 0);
  columns = std::min(columns, static_cast<int>(pictures.size()));
  const int rows = (static_cast<int>(pictures.size()) + columns - 1) / columns;
  const int height = pictures.front().height, width = pictures.front().width;
  Image grid;
  grid.height = rows * height + (rows + 1) * margin;
  grid.width = columns * width + (columns + 1) * margin;
  grid.rgb.assign(3 * static_cast<std::size_t>(grid.height) * static_cast<std::size_t>(grid.width),
                  255);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    VOSTRACK_ASSERT(pictures[i].height == height && pictures[i].width == width);
    const int row = static_cast<int>(i) / columns, column = static_cast<int>(i) % columns;
    const int top = margin + row * (height + margin), left = margin + column * (width + margin);
    for (int y = 0; y < height; ++y)
      std::copy_n(pictures[i].rgb.begin() + std::ptrdiff_t{3} * y * width,
                  std::ptrdiff_t{3} * width,
                  grid.rgb.begin() + 3 * (std::ptrdiff_t{top + y} * grid.width + left));
  }
  return grid;
}

}  // namespace vostrack::cli
