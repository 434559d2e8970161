/// Keeps the time that frames take near a target, by leaving out more or less.
///
///   Budget budget(speed);
///   const SpeedOptions& now = budget.speed();   // for this frame
///   budget.add(took_ms);
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vostrack/speed.hpp"

namespace vostrack::tracker {

/// Goes on a step when the mean over some frames is above the target; goes back when the step
/// before has not been tried for a while, or was fast enough when it last was.
///
/// Thread safety: one thread at a time.
class Budget {
 public:
  /// @param speed  with a budget_ms above 0; what it asks for itself is left out on each step
  explicit Budget(const SpeedOptions& speed);

  const SpeedOptions& speed() const { return steps_[step_].speed; }
  /// @param ms  what the last frame took, tracked or held
  void add(double ms);
  std::vector<SpeedReport::Step> report() const;

 private:
  struct Step {
    std::string name;
    SpeedOptions speed;
    std::int64_t frames = 0;
    double total_ms = 0;
    /// Frames until this step is tried again after it was too slow; doubles each time.
    std::int64_t patience;
    std::int64_t wait = 0;
  };
  void change_to(std::size_t step);

  double target_ms_;
  std::vector<Step> steps_;  ///< each faster than the one before
  std::size_t step_ = 0;
  std::int64_t window_frames_ = 0;  ///< since the step began, or the last decision
  double window_ms_ = 0;
};

}  // namespace vostrack::tracker
