/// The masks of one sequence on disk, annotated or predicted.
///
///   const MaskSequence truth("Annotations/480p/bmx-trees", ObjectRule::kAuto);
///   FrameMasks first = truth.read(truth.frames().front());
///
/// Two layouts are read: a folder of indexed or grey PNGs, a label an object (DAVIS, YouTube-VOS,
/// MOSE); and a folder for each object, named by its number, with a PNG a frame in which whatever
/// is not 0 is the object (SA-V). Object folder N is object N + 1 here, since 0 is the background
/// everywhere else.
///
/// Thread safety: reading is.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "vostrack/types.hpp"

namespace vostrack::eval {

/// What a label means.
enum class ObjectRule {
  /// Merged where the first frame with any label has no label but 255 (DAVIS-2016), else separate.
  kAuto,
  kSeparate,  ///< labels 1 to 254 are objects, pixels with 255 are not scored
  kMerged,    ///< whatever is not 0 is object 1
};

struct FrameMasks {
  int height = 0;
  int width = 0;
  std::map<int, Mask> objects;  ///< those with a pixel on this frame
  Mask ignored;                 ///< empty when every pixel counts

  /// An empty mask for an object that is not there.
  Mask mask(int object) const;
};

class MaskSequence {
 public:
  /// @throws Error kNotFound without the folder, kCorruptFile without a mask in it or with files of
  ///   both layouts, and what read() throws for the frame that kAuto has to look at
  MaskSequence(std::string folder, ObjectRule rule);

  const std::string& folder() const noexcept { return folder_; }
  /// Never kAuto.
  ObjectRule rule() const noexcept { return rule_; }
  /// Stems of the files, in rising order: every frame on which any object has a file.
  const std::vector<std::string>& frames() const noexcept { return frames_; }
  /// Whether a file says where the object is on the frame, and be it nowhere.
  bool covers(int object, const std::string& frame) const;
  /// The last frame that covers the object.
  std::string last_frame(int object) const;

  /// @throws Error kNotFound for a frame without file, kCorruptFile, kUnsupported; kCorruptFile
  ///   too when an object's file has another size than the others' of the frame
  FrameMasks read(const std::string& frame) const;
  /// The file of a frame (the folder of frames for the layout with object folders), for messages.
  std::string path(const std::string& frame) const;

 private:
  void add_folder(int object, const std::string& folder);
  ObjectRule decide() const;

  std::string folder_;
  ObjectRule rule_;
  std::vector<std::string> frames_;
  /// Object folders: the frames of each; empty for the other layout.
  std::map<int, std::vector<std::string>> object_frames_;
  std::map<int, std::string> object_folders_;
};

}  // namespace vostrack::eval
