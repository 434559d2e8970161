// Frames that are not tracked: what stands for them.
#include <torch/torch.h>

#include <algorithm>
#include <cstdlib>

#include "tracker/object_tracking.hpp"
#include "tracker/sketch.hpp"

namespace vostrack::tracker {

OutputPtr ObjectTracking::Object::output(FrameIndex frame) const {
  const auto taken_in = [this](FrameIndex t) {
    auto output = bank.conditioning.get(t);
    return output ? output : bank.tracked.get(t);
  };
  if (auto output = taken_in(frame)) return output;
  const auto held = bank.held.find(frame);
  if (held == bank.held.end()) return nullptr;
  const auto source = taken_in(held->second.source);
  if (!source) return nullptr;
  auto shown = std::make_shared<memory::FrameOutput>(*source);
  shown->mask_logits = moved(source->mask_logits, held->second.motion);
  return shown;
}

std::optional<FrameIndex> ObjectTracking::Object::held_from(FrameIndex frame) const {
  if (bank.conditioning.contains(frame) || bank.tracked.contains(frame)) return std::nullopt;
  const auto held = bank.held.find(frame);
  if (held == bank.held.end()) return std::nullopt;
  return held->second.source;
}

std::optional<FrameIndex> ObjectTracking::Object::source_before(FrameIndex frame,
                                                                bool reverse) const {
  const FrameIndex before = reverse ? frame + 1 : frame - 1;
  const auto it = passed.find(before);
  if (it == passed.end()) return std::nullopt;
  const auto held = held_from(before);
  if (held && it->second.reverse != reverse) return std::nullopt;  // it may show this very frame
  const FrameIndex source = held.value_or(before);
  if (!bank.conditioning.contains(source) && !bank.tracked.contains(source)) return std::nullopt;
  return source;
}

bool ObjectTracking::hold(std::span<Object* const> objects, FrameIndex frame, bool reverse) {
  const SpeedOptions& speed = this->speed();
  if (speed.keyframe_interval == 1 && speed.still_change == 0) return false;
  std::vector<std::pair<Object*, FrameIndex>> sources;
  for (Object* object : objects) {
    if (object->bank.conditioning.contains(frame)) continue;
    const auto source = object->source_before(frame, reverse);
    if (!source) return false;
    sources.emplace_back(object, *source);
  }
  if (sources.empty()) return false;
  // All objects or none, since encoding the picture is what takes the time.
  std::int64_t farthest = 0;
  for (const auto& [object, source] : sources)
    farthest = std::max(farthest, std::abs(frame - source));
  const auto unchanged = [&](const auto& item) {
    const auto before = sketch(item.second);
    return before.defined() && largest_change(before, sketch(frame)) <= speed.still_change;
  };
  const bool still = speed.still_change > 0 && farthest <= speed.still_refresh &&
                     std::ranges::all_of(sources, unchanged);
  if (!still && farthest >= speed.keyframe_interval) return false;

  std::vector<memory::HeldFrame> held;
  for (const auto& [object, source] : sources) {
    memory::HeldFrame& shown = held.emplace_back(memory::HeldFrame{source, {}});
    const auto before = still ? torch::Tensor() : sketch(source);
    if (before.defined())
      shown.motion = motion_between(before, sketch(frame), object->output(source)->mask_logits);
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    sources[i].first->bank.held[frame] = held[i];
    sources[i].first->bank.tracked.drop(frame);
  }
  for (Object* object : objects) mark_passed(*object, frame, reverse);
  ++(still ? report_.still_frames : report_.between_frames);
  return true;
}

bool ObjectTracking::may_hold() const {
  return budget_ || config_.speed.keyframe_interval > 1 || config_.speed.still_change > 0;
}

void ObjectTracking::frame_took(Clock::duration time) {
  if (budget_) budget_->add(std::chrono::duration<double, std::milli>(time).count());
}

SpeedReport ObjectTracking::speed_report() const {
  SpeedReport report = report_;
  if (budget_) report.steps = budget_->report();
  return report;
}

}  // namespace vostrack::tracker
