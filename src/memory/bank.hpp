/// What is remembered of one object.
///
///   bank.conditioning.put(0, output);       // a prompted frame
///   bank.tracked.put(1, next);              // a frame that was tracked
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "memory/output.hpp"
#include "memory/scratch.hpp"

namespace vostrack::memory {

/// Outputs by frame, which also remembers the order in which frames were first stored: it breaks
/// ties when conditioning frames are selected. Outputs may lie in a scratch file; get() reads them
/// from there.
///
/// Copying is cheap: outputs never change, so copies share them.
class OutputStore {
 public:
  /// Replaces what is there, in its place.
  void put(FrameIndex frame, OutputPtr output);
  /// @return what was there, or nothing
  /// @throws Error kIo
  OutputPtr take(FrameIndex frame);
  void drop(FrameIndex frame);
  /// @return nothing when there is no output on this frame
  /// @throws Error kIo
  OutputPtr get(FrameIndex frame) const;
  /// One tensor of the output on a frame that has one.
  torch::Tensor get(FrameIndex frame, const OutputField& field) const;
  /// Of a frame that has an output: what it looked back to, its time, and whether its memory is
  /// encoded.
  std::vector<FrameIndex> attended(FrameIndex frame) const;
  double time_s(FrameIndex frame) const;
  bool has_memory(FrameIndex frame) const;
  bool contains(FrameIndex frame) const { return by_frame_.count(frame) > 0; }
  bool empty() const { return by_frame_.empty(); }
  std::size_t size() const { return by_frame_.size(); }
  void clear() { *this = {}; }
  /// Drops first ≤ frame ≤ last, but not `except`.
  void drop_range(FrameIndex first, FrameIndex last, FrameIndex except);

  std::vector<FrameIndex> frames() const;  ///< ascending
  std::vector<FrameIndex> frames_in_order_of_storing() const;
  FrameIndex first_frame() const { return by_frame_.begin()->first; }  ///< of a store not empty

  /// What the outputs occupy outside the scratch file, and inside.
  std::int64_t bytes() const { return bytes_; }
  std::int64_t scratch_bytes() const { return scratch_bytes_; }
  /// The frame farthest from `frame` whose output is not in the scratch file.
  std::optional<FrameIndex> farthest_in_memory(FrameIndex frame) const;
  /// Moves a frame's output to the scratch file.
  ///
  /// @throws Error kIo; nothing has changed then
  void spill(FrameIndex frame, const std::shared_ptr<Scratch>& scratch);

 private:
  struct Entry {
    OutputPtr output;  ///< or `spilled`
    std::shared_ptr<const SpilledOutput> spilled;
    std::uint64_t order = 0;
  };
  using Entries = std::map<FrameIndex, Entry>;
  void uncount(FrameIndex frame, const Entry& entry);
  Entries::iterator erase(Entries::iterator it);

  Entries by_frame_;
  std::set<FrameIndex> in_memory_;
  std::uint64_t next_order_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t scratch_bytes_ = 0;
};

/// How a part of the picture moved since an earlier frame: what is at p was at scale · p + (x, y),
/// in fractions of the picture's sides.
struct Motion {
  double scale = 1;
  double x = 0;
  double y = 0;
  bool operator==(const Motion&) const = default;
};

/// What stands for a frame that was not tracked.
struct HeldFrame {
  FrameIndex source = 0;  ///< the frame whose output it shows
  Motion motion;          ///< since then
  bool operator==(const HeldFrame&) const = default;
};

/// One object's memory. Objects never share one.
struct MemoryBank {
  OutputStore conditioning;  ///< frames prompted before propagation passed them
  OutputStore tracked;       ///< all others
  /// Conditioning frames that are always attended to and never dropped. Those below 0 are not of
  /// this video: they came with the object from another one.
  std::set<FrameIndex> permanent;
  /// Frames that were not tracked. Looking back, they are passed over as if there were none.
  std::map<FrameIndex, HeldFrame> held;
  /// How many held frames after a conditioning frame were forgotten.
  std::map<FrameIndex, std::int64_t> forgotten;

  /// Forgets held frames before `frame`, but not how many there were.
  void forget_held(FrameIndex frame);
};

}  // namespace vostrack::memory
