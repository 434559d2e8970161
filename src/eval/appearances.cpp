#include "eval/appearances.hpp"

#include <set>
#include <utility>

#include "base/check.hpp"

namespace vostrack::eval {

std::vector<Appearance> appearances(const MaskSequence& truth, LateObjects late) {
  std::vector<Appearance> result;
  std::set<int> seen;
  int height = 0, width = 0;
  for (const std::string& frame : truth.frames()) {
    FrameMasks masks = truth.read(frame);
    if (height == 0) {
      height = masks.height;
      width = masks.width;
    }
    check(masks.height == height && masks.width == width, ErrorCode::kCorruptFile,
          "{}: is {}x{}, want {}x{} as the first frame is", truth.path(frame), masks.width,
          masks.height, width, height);
    for (auto& [object, mask] : masks.objects)
      if (seen.insert(object).second) result.push_back({object, frame, std::move(mask)});
    if (late == LateObjects::kIgnored) {
      check(!result.empty(), ErrorCode::kCorruptFile,
            "{}: shows no object, want one on the first frame", truth.path(frame));
      break;
    }
  }
  check(!result.empty(), ErrorCode::kCorruptFile, "{}: shows no object on any frame",
        truth.folder());
  return result;
}

}  // namespace vostrack::eval
