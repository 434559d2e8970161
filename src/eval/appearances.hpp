/// Where each object of an annotated sequence is marked.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "eval/mask_sequence.hpp"
#include "vostrack/types.hpp"

namespace vostrack::eval {

/// What becomes of objects that are not on the first annotated frame.
enum class LateObjects {
  kIgnored,           ///< DAVIS: only the first frame's objects count
  kPromptedWhenSeen,  ///< YouTube-VOS, SA-V: marked on the first annotated frame that shows them
};

/// The frame on which an object is marked, and its mask there.
struct Appearance {
  int object = 0;
  std::string frame;
  Mask mask;
};

/// In the order of the frames, then of the numbers.
///
/// @throws Error kCorruptFile when no object is there, naming the file or folder, and when a frame
///   has another size than the first; what MaskSequence::read throws
std::vector<Appearance> appearances(const MaskSequence& truth, LateObjects late);

}  // namespace vostrack::eval
