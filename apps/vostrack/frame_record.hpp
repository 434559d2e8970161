/// One tracked frame, small enough to be kept: all of a clip's frames are, when it is tracked
/// backward.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "annotations/palette_png.hpp"
#include "apps/vostrack/json_file.hpp"
#include "vostrack/result.hpp"

namespace vostrack::cli {

struct ObjectOnFrame {
  ObjectId object = 0;
  Presence presence = Presence::kVisible;
  double object_score = 0;   ///< above 0 when visible, to four digits
  double predicted_iou = 0;  ///< to four digits
  std::int64_t area = 0;     ///< pixels
  std::optional<Box> box;
  std::string counts;  ///< the mask as COCO's compressed run lengths
  /// The frame whose scores these are, where this one was not tracked.
  std::optional<std::int64_t> held_from = std::nullopt;

  bool visible() const noexcept { return presence == Presence::kVisible; }
};

struct FrameRecord {
  std::int64_t frame = 0;
  double pts_s = 0;
  std::string name;
  int height = 0;
  int width = 0;
  std::vector<ObjectOnFrame> objects;
};

/// "visible", "occluded" or "lost".
const char* presence_name(Presence presence) noexcept;

FrameRecord record_of(const FrameResult& result);

/// Puts the objects' masks into one picture; where they overlap, the later object has the pixel.
annotations::LabelImage labels_of(const FrameRecord& record);

Mask mask_of(const FrameRecord& record, const ObjectOnFrame& object);

/// The line of a frame in results.jsonl, as docs/formats.md has it.
Json to_json(const FrameRecord& record);

/// The other way round.
///
/// @throws Error kCorruptFile for anything that to_json() does not write
FrameRecord record_from_json(const Json& json);

}  // namespace vostrack::cli
