/// Folders of label pictures.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "annotations/palette_png.hpp"
#include "vostrack/types.hpp"

namespace vostrack::test {

struct Labelled {
  std::uint8_t label;
  Mask mask;
};

/// Writes FOLDER/NAME.png, later masks over earlier ones; makes the folder.
inline void write_labels(const std::string& folder, const std::string& name, int height, int width,
                         const std::vector<Labelled>& objects) {
  annotations::LabelImage image{height, width, {}};
  image.labels.assign(static_cast<std::size_t>(height) * static_cast<std::size_t>(width), 0);
  for (const Labelled& object : objects)
    for (std::size_t i = 0; i < image.labels.size(); ++i)
      if (object.mask.data[i]) image.labels[i] = object.label;
  std::filesystem::create_directories(folder);
  annotations::write_label_png(folder + "/" + name + ".png", image);
}

}  // namespace vostrack::test
