#include "tracker/budget.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace vostrack::tracker {
namespace {

/// Frames that a decision is made from: some cycles of every step's keyframes.
constexpr std::int64_t kWindow = 12;
/// Frames before a step that was too slow is tried again: first, and at most.
constexpr std::int64_t kPatience = 4 * kWindow, kMostPatience = 64 * kWindow;
/// Only so much below the target a step back is worth trying.
constexpr double kRoom = 0.9;

struct Choice {
  const char* name;
  std::optional<int> sparse_memories;
  int keyframe_interval;
};
constexpr Choice kChoices[] = {
    {"all frames, all memories", std::nullopt, 1},
    {"sparse memories", 1, 1},
    {"sparse memories, every 2nd frame", 1, 2},
    {"sparse memories, every 3rd frame", 1, 3},
    {"sparse memories, every 4th frame", 1, 4},
};

}  // namespace

Budget::Budget(const SpeedOptions& speed) : target_ms_(speed.budget_ms) {
  VOSTRACK_ASSERT(target_ms_ > 0);
  for (const Choice& choice : kChoices) {
    SpeedOptions all = speed;
    if (choice.sparse_memories)
      all.sparse_memories = std::min(speed.sparse_memories.value_or(*choice.sparse_memories),
                                     *choice.sparse_memories);
    all.keyframe_interval = std::max(speed.keyframe_interval, choice.keyframe_interval);
    steps_.push_back({choice.name, all, 0, 0, kPatience});
  }
}

void Budget::add(double ms) {
  Step& now = steps_[step_];
  ++now.frames;
  now.total_ms += ms;
  window_ms_ += ms;
  for (Step& step : steps_) step.wait = std::max<std::int64_t>(0, step.wait - 1);
  if (++window_frames_ < kWindow) return;
  const double mean = window_ms_ / static_cast<double>(window_frames_);
  window_frames_ = 0;
  window_ms_ = 0;
  if (mean > target_ms_) {
    // A step that was too slow at once is left alone for longer than one that became so.
    now.wait = now.patience;
    now.patience = std::min(2 * now.patience, kMostPatience);
    if (step_ + 1 < steps_.size()) ++step_;
  } else {
    if (now.wait == 0) now.patience = kPatience;
    if (step_ > 0 && mean < kRoom * target_ms_ && steps_[step_ - 1].wait == 0) --step_;
  }
}

std::vector<SpeedReport::Step> Budget::report() const {
  std::vector<SpeedReport::Step> report;
  for (const Step& step : steps_)
    report.push_back({step.name, step.frames,
                      step.frames > 0 ? step.total_ms / static_cast<double>(step.frames) : 0});
  return report;
}

}  // namespace vostrack::tracker
