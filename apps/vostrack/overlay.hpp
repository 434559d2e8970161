/// Objects over pictures, and many pictures at one glance.
#pragma once

#include <string>
#include <vector>

#include "annotations/palette_png.hpp"
#include "vostrack/types.hpp"

namespace vostrack::cli {

enum class ObjectNames { kNone, kIds };

/// Tints every labelled object in the colour of its id, draws its outline, and its id if wanted.
void draw_objects(Image& image, const annotations::LabelImage& labels, ObjectNames names);

/// The picture at another width, with a title in its lower left corner.
Image titled_thumbnail(const Image& image, int width, const std::string& title);

/// Pictures of one size in rows, on white.
Image grid_of(const std::vector<Image>& pictures, int columns, int margin);

}  // namespace vostrack::cli
