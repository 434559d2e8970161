/// What is remembered of one object.
///
///   bank.conditioning.put(0, output);       // a prompted frame
///   bank.tracked.put(1, next);              // a frame that was tracked
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace vostrack::memory {

using FrameIndex = std::int64_t;

/// What the networks said about one object on one frame. Never changed once stored: encoding a
/// prompted frame's memory makes a new one. In training it is a batch of objects that were prompted
/// alike, B in place of each 1.
struct FrameOutput {
  torch::Tensor mask_logits;    ///< (1, 1, S/4, S/4) float32; −1024 where the object is absent
  torch::Tensor pointer;        ///< (1, C) float32
  torch::Tensor object_score;   ///< (1, 1) float32 logit
  torch::Tensor predicted_iou;  ///< (1, 1) float32; 1 for a mask prompt
  torch::Tensor memory;         ///< (1, Cm, h, w) in the memory's dtype; undefined until encoded
  std::vector<FrameIndex> attended;  ///< frames whose memories it was made with
};
using OutputPtr = std::shared_ptr<const FrameOutput>;

/// Outputs by frame, which also remembers the order in which frames were first stored: it breaks
/// ties when conditioning frames are selected.
class OutputStore {
 public:
  /// Replaces what is there, in its place.
  void put(FrameIndex frame, OutputPtr output);
  /// @return what was there, or nothing
  OutputPtr take(FrameIndex frame);
  /// @return nothing when there is no output on this frame
  OutputPtr get(FrameIndex frame) const;
  bool contains(FrameIndex frame) const { return by_frame_.count(frame) > 0; }
  bool empty() const { return by_frame_.empty(); }
  std::size_t size() const { return by_frame_.size(); }
  void clear() { by_frame_.clear(); }
  /// Drops first ≤ frame ≤ last, but not `except`.
  void drop_range(FrameIndex first, FrameIndex last, FrameIndex except);

  std::vector<FrameIndex> frames() const;  ///< ascending
  std::vector<FrameIndex> frames_in_order_of_storing() const;
  FrameIndex first_frame() const { return by_frame_.begin()->first; }  ///< of a store not empty

 private:
  struct Entry {
    OutputPtr output;
    std::uint64_t order;
  };
  std::map<FrameIndex, Entry> by_frame_;
  std::uint64_t next_order_ = 0;
};

/// One object's memory. Objects never share one.
struct MemoryBank {
  OutputStore conditioning;  ///< frames prompted before propagation passed them
  OutputStore tracked;       ///< all others
};

}  // namespace vostrack::memory
