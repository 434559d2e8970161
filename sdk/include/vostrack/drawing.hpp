/// Results over pictures, for people to look at, and objects without their background.
///
///   vostrack::draw_mask(image, mask, vostrack::object_colour(1));
///   vostrack::draw_label(image, box.x0, box.y0, "1: dog", vostrack::object_colour(1));
///   vostrack::blur(image, mask, vostrack::Region::kBackground, 12);
///   vostrack::RgbaImage dog = vostrack::cut_out(image, mask, 1.5);
///
/// Everything outside the picture is cut off. Lines and text grow with the picture, so that a 4K
/// frame is as readable as a thumbnail. Masks have the picture's size, else each throws
/// kInvalidArgument. A library built without video lacks these functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vostrack/colour.hpp"
#include "vostrack/export.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

/// The colour that an object has in every picture: as far as can be from those of smaller numbers,
/// so few objects are told apart at a glance and a hundred still by comparison. Black, white and
/// greys are left to pictures. Any number is allowed; colours repeat after a hundred.
VOSTRACK_API Rgb object_colour(ObjectId id);

/// Tints the mask's pixels and draws its outline, just inside it, in the full colour.
///
/// @param opacity  of the tint: 0 (outline only) to 1
VOSTRACK_API void draw_mask(Image& image, const Mask& mask, Rgb colour, float opacity = 0.45F);

/// Draws clicks as dots with a white rim: green with a plus for positive, red with a minus for
/// negative ones.
VOSTRACK_API void draw_clicks(Image& image, const std::vector<Click>& clicks);

VOSTRACK_API void draw_box(Image& image, const Box& box, Rgb colour);

/// Draws one line of UTF-8 text, black or white as reads better, on a plate of the colour, whose
/// lower left corner is at x, y; it is pushed inside where it would stick out.
VOSTRACK_API void draw_label(Image& image, float x, float y, const std::string& text, Rgb colour);

/// The side of a mask that an effect changes; the other one stays as it is, to the last bit.
enum class Region { kObject, kBackground };

/// Blurs one side of a mask. Only pixels of that side are averaged: no halo of the object around a
/// blurred background, and nothing of what is hidden beyond its edge.
///
/// @param sigma  of the Gaussian in pixels, more than 0, at most 1000
/// @throws Error kInvalidArgument
VOSTRACK_API void blur(Image& image, const Mask& mask, Region region, double sigma);

/// Replaces one side of a mask by squares of its average colour, counted from the upper left.
///
/// @param block  side of a square in pixels, at least 1
/// @throws Error kInvalidArgument
VOSTRACK_API void pixelate(Image& image, const Mask& mask, Region region, int block);

/// Two pictures in one; the right one is resized to the left one's height.
///
/// @throws Error kInvalidArgument for an empty picture
VOSTRACK_API Image side_by_side(const Image& left, const Image& right);

/// The picture inside the mask, transparent outside, where it has the object's average colour:
/// nothing of the background is left in the result.
///
/// @param softness  0 for a hard edge, else the sigma in pixels, at most 100, of the Gaussian that
///   the opacity is blurred with; half of what it blurs lies outside the mask
/// @throws Error kInvalidArgument
VOSTRACK_API RgbaImage cut_out(const Image& image, const Mask& mask, double softness = 0);

}  // namespace vostrack
