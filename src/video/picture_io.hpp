/// Single pictures.
///
///   Image image = vostrack::video::read_picture("photo.jpg");
///   vostrack::video::write_picture("photo.png", image);
#pragma once

#include <string>

#include "vostrack/colour.hpp"
#include "vostrack/types.hpp"

namespace vostrack::video {

/// Whether the name ends like a picture that can be read: JPEG, PNG, TIFF, WebP, BMP.
bool is_picture_name(const std::string& path);

/// Reads a picture as 8-bit RGB, upright (EXIF orientation applied); an alpha channel is dropped.
/// A file that is cut short is refused, not filled with grey.
///
/// @throws Error kNotFound, kIo, kDecode; kUnsupported for a TIFF of signed integers or floats
Image read_picture(const std::string& path);

/// Writes a PNG or JPEG (quality 95), by the name's suffix. The file appears whole or not at all.
///
/// @throws Error kInvalidArgument for another suffix or a picture whose buffer has another size;
///   kNotFound without the folder; kIo
void write_picture(const std::string& path, const Image& image);

/// Writes a PNG with transparency; otherwise as above.
void write_picture(const std::string& path, const RgbaImage& image);

/// Writes a mask as a black and white PNG of one bit a pixel; otherwise as above.
void write_mask_picture(const std::string& path, const Mask& mask);

}  // namespace vostrack::video
