/// Time for accuracy: what tracking may leave out. Nothing is left out by default.
///
///   vostrack::SessionConfig config;
///   config.speed.keyframe_interval = 2;    // every second frame
///   config.speed.budget_ms = 40;           // or whatever it takes
///
/// What each costs and gives is measured in docs/performance.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vostrack {

struct SpeedOptions {
  /// Memories and pointers of tracked frames that are looked back to, the nearest ones; those of
  /// prompted frames come beside them. Unset: as many as the model was made for. At least 0.
  std::optional<int> recent_memories;
  std::optional<int> recent_pointers;

  /// Memories are looked at as means over 2 × 2 cells. A cell is 16 pixels of the network's input.
  bool pooled_memories = false;
  /// Of memories those cells are looked at in which any of them shows the object, so many cells
  /// around it, and of the rest one in 4 × 4, which counts for all. With pooled memories, cells are
  /// what is left of these. Unset: every cell. At least 0; 1 is a good start.
  std::optional<int> sparse_memories;

  /// Only every n-th frame goes through the networks. On those between, an object's mask is that of
  /// the last one, moved and scaled as the picture under it moved; its scores stay. 1: every frame.
  int keyframe_interval = 1;

  /// A frame whose picture has not changed is not tracked: objects keep their masks. It has changed
  /// where the mean brightness of any block, a 48th of the picture's sides, is farther than this
  /// from that of the last tracked frame, in grey levels of 255. 0: off.
  double still_change = 0;
  /// A frame is tracked, changed or not, after so many that were not. At least 1.
  int still_refresh = 25;

  /// Milliseconds that a frame should take on average, from its picture to its masks. While it
  /// takes longer, tracking goes over to sparse memories and then to longer keyframe intervals, and
  /// back when there is time. Results then depend on the machine. 0: off.
  double budget_ms = 0;
};

/// What was left out so far.
struct SpeedReport {
  std::int64_t tracked_frames = 0;  ///< that went through the networks
  std::int64_t still_frames = 0;    ///< not tracked, since the picture had not changed
  std::int64_t between_frames = 0;  ///< not tracked, between keyframes

  /// A step of the budget.
  struct Step {
    std::string name;         ///< what it leaves out
    std::int64_t frames = 0;  ///< on which it was in force
    double mean_ms = 0;       ///< of these frames
  };
  std::vector<Step> steps;  ///< without a budget none
};

}  // namespace vostrack
