/// Folders of pictures, one for each frame.
///
///   PictureFolderWriter frames("overlay", {.suffix = ".jpg"});
///   for (...) frames.write(image);                     // overlay/00000.jpg, overlay/00001.jpg,
///   ... write_object_mask("masks", 7, frame.name, mask);   // masks/7/00012.png
#pragma once

#include <cstdint>
#include <string>

#include "vostrack/colour.hpp"
#include "vostrack/types.hpp"

namespace vostrack::video {

struct PictureFolderOptions {
  /// .png, .jpg or .jpeg
  std::string suffix = ".png";
  /// Whether pictures of the same names may be replaced.
  bool overwrite = false;
};

/// Writes pictures into a folder, which is made if the one above exists. Each file appears whole or
/// not at all, so a run that is broken off leaves a sequence that is good up to there.
///
/// Thread safety: one thread at a time.
class PictureFolderWriter {
 public:
  /// @throws Error kInvalidArgument for another suffix or a file of this name; kNotFound without
  ///   the folder above; kIo where the folder cannot be made
  explicit PictureFolderWriter(const std::string& folder, PictureFolderOptions options = {});

  /// @param name  of the file, without folder and suffix; by default the next number in five
  ///   digits, from 00000
  /// @return      the file's path
  /// @throws Error kInvalidArgument for a name that leaves the folder, for a file that exists and
  ///   may not be replaced, and for a buffer of another size; kIo when the disk is full
  std::string write(const Image& image, const std::string& name = {});

  /// The same with transparency, as PNG only.
  std::string write(const RgbaImage& image, const std::string& name = {});

  /// Pictures written.
  std::int64_t count() const noexcept { return count_; }

 private:
  template <class Picture>
  std::string write_any(const Picture& picture, const std::string& name);

  std::string folder_;
  PictureFolderOptions options_;
  std::int64_t count_ = 0;
};

/// Writes one object's mask on one frame as folder/object/name.png, black and white in one bit a
/// pixel: a folder for each object, as SA-V's masks lie. The object's folder is made if need be; a
/// mask that is there is replaced.
///
/// @param name  of the frame, without suffix
/// @return      the file's path
/// @throws Error as PictureFolderWriter
std::string write_object_mask(const std::string& folder, ObjectId object, const std::string& name,
                              const Mask& mask);

}  // namespace vostrack::video
