/// Where a dataset keeps its pictures and annotations.
///
///   for (const Sequence& sequence : find_sequences(Dataset::kDavis, root, "480p", {"bear"})) ...
#pragma once

#include <string>
#include <vector>

namespace vostrack::eval {

enum class Dataset {
  kDavis,       ///< JPEGImages/480p/bear/00000.jpg, Annotations/480p/bear/00000.png
  kYouTubeVos,  ///< JPEGImages/NAME/00000.jpg, Annotations/NAME/00000.png; MOSE too
  kSav,         ///< JPEGImages_24fps/NAME/00000.jpg, Annotations_6fps/NAME/OBJECT/00000.png
};

struct Sequence {
  std::string name;
  std::string pictures;     ///< folder; need not be there
  std::string annotations;  ///< folder
};

/// @param resolution  folder within JPEGImages and Annotations; DAVIS only
/// @param names  which ones, in this order; empty for all that are annotated, by name
/// @throws Error kNotFound without the annotations of a sequence, kInvalidArgument for a name that
///   is given twice or is no folder's, such as .. or a/b
std::vector<Sequence> find_sequences(Dataset dataset, const std::string& root,
                                     const std::string& resolution,
                                     const std::vector<std::string>& names);

/// Reads a list of sequences: a name a line, or, as DAVIS-2016 has it, the paths of a picture and
/// its annotation, of which the folder's name is taken. Empty lines and those that begin with #
/// are passed over.
///
/// @throws Error kNotFound, kCorruptFile when it names none
std::vector<std::string> read_split(const std::string& path);

}  // namespace vostrack::eval
