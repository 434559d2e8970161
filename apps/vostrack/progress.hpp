/// A progress bar with frames per second and time left.
///
///   Progress progress("Tracking", 150, std::cerr, ProgressStyle::kBar);
///   while (...) progress.step();
///   progress.finish();
///
/// Thread safety: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

namespace vostrack::cli {

enum class ProgressStyle {
  kNone,
  kLines,  ///< a line now and then, for log files
  kBar,    ///< one line that is drawn over, for terminals
};

/// Such as 0:07, 12:34 or 1:02:03.
std::string duration_text(double seconds);

class Progress {
 public:
  /// @param total  0 when the end is not known
  Progress(std::string what, std::int64_t total, std::ostream& err, ProgressStyle style);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// @param note  is shown behind the numbers until the next step
  void step(std::string note = {});
  /// Shows the last state and ends the line. Once is enough.
  void finish();

  std::int64_t done() const noexcept { return done_; }
  /// From the start to the last step.
  double seconds() const noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  void show();

  std::string what_;
  std::string note_;
  std::int64_t total_;
  std::ostream& err_;
  ProgressStyle style_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_step_ = start_;
  Clock::time_point last_shown_ = start_;
  std::int64_t done_ = 0;
  std::int64_t shown_ = -1;
  bool finished_ = false;
};

}  // namespace vostrack::cli
