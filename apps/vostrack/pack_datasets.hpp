/// Annotated pictures and videos on disk, one like the other.
///
///   for (const PackItem& item : pictures_in("train", LabelRules()))
///     PackFrame frame = item.read(0);
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "annotations/palette_png.hpp"
#include "eval/dataset.hpp"
#include "eval/mask_sequence.hpp"
#include "train/data/pack.hpp"
#include "vostrack/types.hpp"

namespace vostrack::cli {

struct PackFrame {
  Image picture;
  annotations::LabelImage labels;  ///< 0 background, objects, 255 not known
};

/// A picture, or a video's annotated frames. Its files are read when it is asked for them.
struct PackItem {
  train::RecordHead head;
  int frames = 1;
  std::function<PackFrame(int frame)> read;
};

/// What a record is said to be.
struct HeadRules {
  std::string source;  ///< empty: the name up to the first _, else the folder's name
  std::string split;
  train::LabelKind labels = train::LabelKind::kObjects;
  std::map<std::string, train::LabelKind> labels_of_source;
  /// How masks are read; pictures' labels are merged only when that is said.
  eval::ObjectRule objects = eval::ObjectRule::kAuto;
};

/// images/NAME.jpg with masks/NAME.png of labels.
///
/// @throws Error kNotFound without the folders or for pictures without masks, which are named
std::vector<PackItem> pictures_in(const std::string& root, const HeadRules& rules);

/// CLIP/images/FRAME.jpg with CLIP/masks/FRAME.png, for every folder in the root.
std::vector<PackItem> clips_in(const std::string& root, const HeadRules& rules);

/// DAVIS, YouTube-VOS, MOSE and SA-V. Where a meta.json lists videos, as YouTube-VOS has it, those
/// are taken and have to be there.
std::vector<PackItem> sequences_in(eval::Dataset dataset, const std::string& root,
                                   const std::string& resolution, const HeadRules& rules);

/// Pictures that a COCO annotation file lists; those without objects are left out.
///
/// @param root  folder of the pictures
std::vector<PackItem> coco_in(const std::string& root, const std::string& annotations,
                              const HeadRules& rules);

}  // namespace vostrack::cli
