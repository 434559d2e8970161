/// One tracked frame, small enough to be kept: all of a clip's frames are, when it is tracked
/// backward.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "annotations/palette_png.hpp"
#include "vostrack/session.hpp"

namespace vostrack::cli {

struct ObjectOnFrame {
  ObjectId object = 0;
  float score = 0;  ///< object score, above 0 when visible
  bool visible = false;
  std::int64_t area = 0;  ///< pixels
};

struct FrameRecord {
  std::int64_t frame = 0;
  double pts_s = 0;
  std::string name;
  int height = 0;
  int width = 0;
  std::vector<ObjectOnFrame> objects;
  std::vector<std::pair<std::uint8_t, std::uint32_t>> runs;  ///< labels, row by row
};

/// Puts the objects' masks, which must not overlap, into one label picture.
FrameRecord record_of(const FrameResult& result);

annotations::LabelImage labels_of(const FrameRecord& record);

}  // namespace vostrack::cli
