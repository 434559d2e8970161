/// COCO's instance annotations.
///
///   for (const CocoPicture& picture : read_coco("instances_val2017.json"))
///     LabelImage labels = labels_of(picture);
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "annotations/palette_png.hpp"
#include "annotations/rle.hpp"

namespace vostrack::annotations {

struct CocoObject {
  /// Outlines as fill_polygon() has them, or runs.
  std::variant<std::vector<std::vector<double>>, Rle> shape;
  bool crowd = false;  ///< several objects as one
};

struct CocoPicture {
  std::string file;  ///< as the annotations name it
  int height = 0;
  int width = 0;
  std::vector<CocoObject> objects;
};

/// Reads all pictures, those without objects too, in the file's order.
///
/// @throws Error kNotFound, kIo; kCorruptFile saying what is missing or of the wrong kind
std::vector<CocoPicture> read_coco(const std::string& path);

/// The object's pixels. Outlines of one object are united.
///
/// @throws Error kCorruptFile for a shape that does not fit the picture
Mask mask_of(const CocoPicture& picture, const CocoObject& object);

/// Labels from 1, the largest object first, smaller ones over larger ones; 255 where there is a
/// crowd, and for objects that would need a label beyond 254.
///
/// @throws Error as mask_of()
LabelImage labels_of(const CocoPicture& picture);

}  // namespace vostrack::annotations
