/// Hiding what is on one side of a mask, and pictures beside each other.
///
///   blur(image, mask, Region::kBackground, 12);
///   Image both = side_by_side(original, image);
#pragma once

#include "vostrack/types.hpp"

namespace vostrack::video {

/// The side of a mask that an effect changes; the other one stays as it is, to the last bit.
enum class Region { kObject, kBackground };

/// Blurs one side of a mask. Only pixels of that side are averaged: no halo of the object around a
/// blurred background, and nothing of what is hidden beyond its edge.
///
/// @param mask   of the image's size
/// @param sigma  of the Gaussian in pixels, more than 0, at most 1000
/// @throws Error kInvalidArgument
void blur(Image& image, const Mask& mask, Region region, double sigma);

/// Replaces one side of a mask by squares of its average colour, counted from the upper left.
///
/// @param block  side of a square in pixels, at least 1
/// @throws Error kInvalidArgument
void pixelate(Image& image, const Mask& mask, Region region, int block);

/// Two pictures in one; the right one is resized to the left one's height.
///
/// @throws Error kInvalidArgument for an empty picture
Image side_by_side(const Image& left, const Image& right);

}  // namespace vostrack::video
