/// Tracking a dataset's sequence from prompts that its annotation gives.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "eval/appearances.hpp"
#include "eval/dataset.hpp"
#include "eval/mask_sequence.hpp"
#include "vostrack/model.hpp"
#include "vostrack/speed.hpp"

namespace vostrack::cli {

/// What is said about an object on the frame on which it is marked.
enum class SimulatedPrompt {
  kMask,
  kBox,     ///< the smallest around the mask
  kPoint,   ///< a click on the mask's innermost pixel
  kPoints3  ///< and two more, each as far as can be from the outside and from earlier clicks
};

struct TrackedSequence {
  std::int64_t frames = 0;
  double seconds = 0;     ///< decoding, networks and writing
  SpeedReport speed;
  bool complete = false;  ///< false when it was interrupted
};

/// Checks that the pictures fit the annotation, so that a mistake is found before hours of work.
///
/// @return how many frames will be tracked
/// @throws Error kNotFound, kDecode, kCorruptFile naming the annotation without a picture or of
///   another size
std::int64_t check_sequence(const eval::Sequence& sequence, const eval::MaskSequence& truth,
                            eval::LateObjects late);

/// Tracks all objects and writes an indexed PNG a frame, from the first one that is marked on. An
/// object takes part from the frame on which it is marked.
///
/// @param folder    is made; the masks come to lie in it
/// @param on_frame  is called after each frame
/// @throws Error as VideoSession
TrackedSequence track_sequence(const Model& model, const eval::Sequence& sequence,
                               const eval::MaskSequence& truth, eval::LateObjects late,
                               SimulatedPrompt prompt, const SpeedOptions& speed,
                               const std::string& folder, const std::function<void()>& on_frame);

}  // namespace vostrack::cli
