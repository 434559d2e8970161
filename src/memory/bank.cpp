#include "memory/bank.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace vostrack::memory {

void OutputStore::put(FrameIndex frame, OutputPtr output) {
  auto [it, added] = by_frame_.try_emplace(frame);
  Entry& entry = it->second;
  if (added)
    entry.order = next_order_++;
  else
    uncount(frame, entry);
  bytes_ += bytes_of(*output);
  entry.output = std::move(output);
  entry.spilled = nullptr;
  in_memory_.insert(frame);
}

OutputPtr OutputStore::take(FrameIndex frame) {
  auto output = get(frame);
  drop(frame);
  return output;
}

void OutputStore::drop(FrameIndex frame) {
  if (auto it = by_frame_.find(frame); it != by_frame_.end()) erase(it);
}

OutputPtr OutputStore::get(FrameIndex frame) const {
  const auto it = by_frame_.find(frame);
  if (it == by_frame_.end()) return nullptr;
  return it->second.output ? it->second.output : it->second.spilled->read();
}

torch::Tensor OutputStore::get(FrameIndex frame, const OutputField& field) const {
  const Entry& entry = by_frame_.at(frame);
  return entry.output ? (*entry.output).*field.tensor : entry.spilled->read(field);
}

std::vector<FrameIndex> OutputStore::attended(FrameIndex frame) const {
  const Entry& entry = by_frame_.at(frame);
  return entry.output ? entry.output->attended : entry.spilled->attended();
}

double OutputStore::time_s(FrameIndex frame) const {
  const Entry& entry = by_frame_.at(frame);
  return entry.output ? entry.output->time_s : entry.spilled->time_s();
}

bool OutputStore::has_memory(FrameIndex frame) const {
  const Entry& entry = by_frame_.at(frame);
  return entry.output ? entry.output->memory.defined() : entry.spilled->has_memory();
}

void OutputStore::drop_range(FrameIndex first, FrameIndex last, FrameIndex except) {
  for (auto it = by_frame_.lower_bound(first); it != by_frame_.end() && it->first <= last;)
    it = it->first == except ? std::next(it) : erase(it);
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

std::optional<FrameIndex> OutputStore::farthest_in_memory(FrameIndex frame) const {
  if (in_memory_.empty()) return std::nullopt;
  const FrameIndex first = *in_memory_.begin(), last = *in_memory_.rbegin();
  return std::abs(frame - first) >= std::abs(frame - last) ? first : last;
}

void OutputStore::spill(FrameIndex frame, const std::shared_ptr<Scratch>& scratch) {
  Entry& entry = by_frame_.at(frame);
  auto spilled = Scratch::write(scratch, *entry.output);
  uncount(frame, entry);
  scratch_bytes_ += spilled->bytes();
  entry.spilled = std::move(spilled);
  entry.output = nullptr;
}

void OutputStore::uncount(FrameIndex frame, const Entry& entry) {
  if (entry.output) {
    bytes_ -= bytes_of(*entry.output);
    in_memory_.erase(frame);
  } else {
    scratch_bytes_ -= entry.spilled->bytes();
  }
}

OutputStore::Entries::iterator OutputStore::erase(Entries::iterator it) {
  uncount(it->first, it->second);
  return by_frame_.erase(it);
}

void MemoryBank::forget_held(FrameIndex frame) {
  const auto end = held.lower_bound(frame);
  for (auto it = held.begin(); it != end; ++it)
    for (FrameIndex t : conditioning.frames())
      if (t < it->first) ++forgotten[t];
  held.erase(held.begin(), end);
  std::erase_if(forgotten, [this](const auto& item) { return !conditioning.contains(item.first); });
}

}  // namespace vostrack::memory
