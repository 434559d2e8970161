/// Which memories an object's current frame attends to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memory/bank.hpp"
#include "nn/model_config.hpp"

namespace vostrack::memory {

/// A spatial memory and its place in time.
struct SelectedMemory {
  FrameIndex frame;
  /// Row of `maskmem_tpos_enc`: 0 for the frame just before, the last for conditioning frames.
  int temporal_row;
  OutputPtr output;
};

/// An object pointer and how far away it is, in frames.
struct SelectedPointer {
  FrameIndex frame;
  double distance;
  OutputPtr output;
};

/// What of the selected memories is looked at; everything by default. See places.hpp.
struct MemoryDetail {
  bool pooled = false;  ///< means over 2 × 2 cells
  /// Cells so many or fewer from the object, and a sample of the others.
  std::optional<int> margin;
};

struct Selection {
  std::vector<SelectedMemory> memories;
  std::vector<SelectedPointer> pointers;
  /// Distances of pointers are divided by this before they are encoded; 0 means that they are 0.
  int pointer_span = 0;
  MemoryDetail detail = {};
};

/// Where the selection is made.
struct SelectionContext {
  FrameIndex frame = 0;
  bool reverse = false;
  /// Frames in the video, or nothing for a stream.
  std::optional<std::int64_t> num_frames;
  double time_s = 0;  ///< the frame's presentation time
};

/// A rule that selects. What it may go by is in the outputs: where the object was and when, how
/// sure the network was, and which other masks it proposed. Immutable, shared by sessions.
class SelectionPolicy {
 public:
  virtual ~SelectionPolicy() = default;
  /// What saved sessions know it by.
  virtual std::string name() const = 0;
  /// @param bank  with at least one conditioning frame
  virtual Selection select(const MemoryBank& bank, const SelectionContext& context) const = 0;
  /// Tracked frames that no selection at `frame` or later, going forward, reaches: a stream drops
  /// them.
  virtual std::vector<FrameIndex> out_of_reach(const MemoryBank& bank, FrameIndex frame) const = 0;
  /// How many tracked frames before a frame are in reach at most.
  virtual std::int64_t most_in_reach() const = 0;
};

/// Leaves out memories and pointers of tracked frames beyond so many of the nearest; those of
/// conditioning frames stay.
///
/// @param memories, pointers  at least 0; nothing: all
void keep_nearest(Selection& selection, const MemoryBank& bank, FrameIndex frame,
                  std::optional<int> memories, std::optional<int> pointers);

/// The reference's rule: conditioning frames (all, or the nearest), fixed positions before the
/// current frame, and the pointers of the selected and the most recent frames. Positions and
/// distances count frames that were not held.
///
/// Source: sam2/modeling/sam2_base.py, _prepare_memory_conditioned_features;
/// sam2/modeling/sam2_utils.py, select_closest_cond_frames
std::shared_ptr<const SelectionPolicy> make_recent_policy(const nn::BaseConfig& config);

}  // namespace vostrack::memory
