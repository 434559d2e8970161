/// Results over pictures, for people to look at.
///
///   draw_mask(image, mask, object_colour(1));
///   draw_box(image, box, object_colour(1));
///   draw_label(image, box.x0, box.y0, "1 0.93", object_colour(1));
///
/// Everything outside the picture is cut off. Lines and text grow with the picture, so that a 4K
/// frame is as readable as a thumbnail.
#pragma once

#include <span>
#include <string>

#include "video/palette.hpp"
#include "vostrack/types.hpp"

namespace vostrack::video {

/// Tints the mask's pixels and draws its outline, just inside it, in the full colour: two pixels
/// wide, one below 360 rows, more from 900 on.
///
/// @param mask     of the image's size
/// @param opacity  of the tint: 0 (outline only) to 1
/// @throws Error kInvalidArgument for another size or opacity
void draw_mask(Image& image, const Mask& mask, Rgb colour, float opacity = 0.45f);

/// Draws clicks as dots with a white rim: green with a plus for positive, red with a minus for
/// negative ones.
void draw_clicks(Image& image, std::span<const Click> clicks);

void draw_box(Image& image, const Box& box, Rgb colour);

/// Draws one line of UTF-8 text, black or white as reads better, on a plate of the colour. The
/// plate's lower left corner is at x, y; it is pushed inside where it would stick out. Text beyond
/// ASCII needs fonts: see video/text.hpp.
void draw_label(Image& image, float x, float y, const std::string& text, Rgb colour);

/// Resizes: averaging downwards, bicubic upwards.
///
/// @throws Error kInvalidArgument for a size below 1 or an empty image
Image resize(const Image& image, int height, int width);

}  // namespace vostrack::video
