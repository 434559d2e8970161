#include "memory/bank.hpp"

#include <algorithm>
#include <utility>

namespace vostrack::memory {

void OutputStore::put(FrameIndex frame, OutputPtr output) {
  auto [it, added] = by_frame_.try_emplace(frame, Entry{nullptr, next_order_});
  if (added) ++next_order_;
  it->second.output = std::move(output);
}

OutputPtr OutputStore::take(FrameIndex frame) {
  auto node = by_frame_.extract(frame);
  return node.empty() ? nullptr : std::move(node.mapped().output);
}

OutputPtr OutputStore::get(FrameIndex frame) const {
  const auto it = by_frame_.find(frame);
  return it == by_frame_.end() ? nullptr : it->second.output;
}

void OutputStore::drop_range(FrameIndex first, FrameIndex last, FrameIndex except) {
  for (auto it = by_frame_.lower_bound(first); it != by_frame_.end() && it->first <= last;)
    it = it->first == except ? std::next(it) : by_frame_.erase(it);
}

std::vector<FrameIndex> OutputStore::frames() const {
  std::vector<FrameIndex> frames;
  for (const auto& [frame, entry] : by_frame_) frames.push_back(frame);
  return frames;
}

std::vector<FrameIndex> OutputStore::frames_in_order_of_storing() const {
  auto frames = this->frames();
  std::ranges::sort(frames, {}, [this](FrameIndex frame) { return by_frame_.at(frame).order; });
  return frames;
}

}  // namespace vostrack::memory
