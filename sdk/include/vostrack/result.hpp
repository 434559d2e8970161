/// What tracking answers.
///
///   for (const vostrack::ObjectResult& object : result.objects)
///     if (object.presence() == vostrack::Presence::kVisible) use(object.mask(), *object.box());
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vostrack/export.hpp"
#include "vostrack/types.hpp"

namespace vostrack {

enum class Presence {
  kVisible,   ///< seen on this frame
  kOccluded,  ///< not seen, but not for long
  kLost,      ///< not seen for longer
};

/// A closed line around a part of a mask, or around a hole in it, as pixel corners.
struct Contour {
  std::vector<Point> points;
  bool hole = false;
};

/// One object on one frame. Masks are made when they are asked for.
///
/// Thread safety: immutable.
class VOSTRACK_API ObjectResult {
 public:
  ObjectId object_id() const noexcept;
  /// False when the object has no output on this frame (prompts' answers list every object).
  bool has_output() const noexcept;
  /// Above 0 when the object is believed to be visible.
  float object_score() const noexcept;
  bool visible() const noexcept { return object_score() > 0; }
  /// The network's own estimate of the mask's IoU with the truth; 0 without output.
  float predicted_iou() const noexcept;
  /// Whether it is seen, and if not, whether for fewer than `lost_after` tracked frames in a row.
  Presence presence(std::int64_t lost_after = 30) const noexcept;

  /// Binary mask at the video's size: logits above 0.
  Mask mask() const;
  /// Logits at the video's size.
  Logits logits() const;
  /// Pixels of the mask.
  std::int64_t area() const;
  /// The mask's bounding box; nothing for an empty mask.
  std::optional<Box> box() const;
  /// Mean of the mask's pixel centres; nothing for an empty mask.
  std::optional<Point> centroid() const;
  /// The mask as COCO's compressed run lengths: `counts` of `size` [height, width].
  std::string rle() const;
  /// The mask's outlines, so that filling them (holes left out) gives the mask's pixels again.
  std::vector<Contour> contours() const;
  /// Frames whose memories this answer was made with; empty for a prompted frame.
  std::vector<std::int64_t> attended_frames() const;
  /// The frame whose mask and scores these are, where SpeedOptions left this frame out; the mask
  /// may have been moved with the picture.
  std::optional<std::int64_t> held_from() const noexcept;

  struct Impl;
  explicit ObjectResult(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

 private:
  friend struct FrameResult;
  std::shared_ptr<const Impl> impl_;
};

/// Objects by pixel: 0 is none, 1 the first of `ids`, and so on; row by row.
struct LabelImage {
  int height = 0;
  int width = 0;
  std::vector<std::uint16_t> data;
  std::vector<ObjectId> ids;
};

/// All objects on one frame, in the order in which they were first prompted.
struct VOSTRACK_API FrameResult {
  std::int64_t frame = 0;
  double pts_s = 0;
  std::string name;
  int height = 0;
  int width = 0;
  std::vector<ObjectResult> objects;

  /// All masks as one picture. Where masks overlap, the pixel goes to the object with the highest
  /// logit there, to the first of equal ones.
  ///
  /// @throws Error kInvalidArgument for more than 65,535 objects
  LabelImage labels() const;
};

/// A prompt as a session keeps it.
struct PromptRecord {
  std::int64_t frame = 0;
  std::vector<Click> clicks;  ///< in video pixels, without the box's corners
  std::optional<Box> box;
  bool mask = false;  ///< prompted by a mask
};

struct ObjectRecord {
  ObjectId object_id = 0;
  std::vector<PromptRecord> prompts;  ///< by frame
  std::int64_t conditioning_frames = 0;
  std::int64_t tracked_frames = 0;
  /// Frames that are kept for good; those below 0 came with the object from another video.
  std::vector<std::int64_t> permanent_frames;
};

/// What a session keeps of an object, in bytes of its tensors.
struct ObjectMemory {
  ObjectId object_id = 0;
  std::int64_t bytes = 0;          ///< in the computer's or the GPU's memory
  std::int64_t scratch_bytes = 0;  ///< in the scratch file
};

/// What a session keeps.
struct MemoryUsage {
  std::int64_t bytes = 0;          ///< objects and encoded pictures
  std::int64_t picture_bytes = 0;  ///< of these, encoded pictures
  std::int64_t scratch_bytes = 0;
  std::optional<std::int64_t> max_bytes;  ///< the ceiling of `bytes`, if there is one
  std::vector<ObjectMemory> objects;
};

}  // namespace vostrack
