/// Clips side by side, as the networks take them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "train/clip.hpp"

namespace vostrack::train {

/// A clip and its number in the whole run.
struct NumberedClip {
  std::int64_t index = 0;
  Clip clip;
};

/// Clips of one length, with all their objects in a row.
struct Batch {
  torch::Tensor frames;                      ///< (clips, T, 3, S, S) uint8
  torch::Tensor masks;                       ///< (objects, T, S, S) uint8: 0 off, 1 on, 255 ignored
  torch::Tensor clip_of;                     ///< (objects,) int64, row of `frames`
  std::vector<std::int64_t> indices;         ///< of each clip in the run
  std::vector<std::int64_t> object_in_clip;  ///< number of each object within its clip
  bool single_pictures = false;

  std::int64_t clips() const { return frames.size(0); }
  std::int64_t length() const { return frames.size(1); }
  std::int64_t objects() const { return masks.size(0); }
};

Batch on_device(Batch batch, torch::Device device);

struct BatchOptions {
  int image_size = 0;
  // Others are left out; which ones is drawn from the clip's index.
  int most_objects = 3;           ///< of a clip
  int most_picture_objects = 16;  ///< of a single picture
};

/// Puts clips of the same length and kind together. Objects without a pixel on the first frame are
/// left out, since nothing could be said of them there; batches without objects, too.
///
/// @throws Error kInvalidArgument on a clip of another shape or dtype, naming it
std::vector<Batch> collate(const std::vector<NumberedClip>& clips, const BatchOptions& options);

}  // namespace vostrack::train
