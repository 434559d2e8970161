#include "train/log/step_lines.hpp"

#include <fmt/format.h>

namespace vostrack::train {
namespace {

std::string duration_text(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  const auto minutes = static_cast<std::int64_t>(seconds / 60);
  return minutes < 60 ? fmt::format("{} min", minutes)
                      : fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

}  // namespace

std::optional<std::string> StepLines::add(const StepReport& report) {
  ++count_;
  for (const auto& [name, value] : report.losses) sum_.losses[name] += value;
  sum_.gradient_norm += report.gradient_norm;
  sum_.seconds += report.seconds;
  const bool last = report.step == report.steps;
  if (!first_ && !last && !report.score && report.step % every_ != 0) return std::nullopt;
  first_ = false;

  const auto count = static_cast<double>(count_);
  std::string line = fmt::format("step {}/{}", report.step, report.steps);
  for (const auto& [name, value] : sum_.losses)
    line += fmt::format("  {} {:.4f}", name, value / count);
  line += fmt::format("  rate {:.2e}  norm {:.2f}  {:.2f} s", report.learning_rate,
                      sum_.gradient_norm / count, sum_.seconds / count);
  if (report.score) line += fmt::format("  J&F {:.1f}", 100 * *report.score);
  if (!last)
    line += fmt::format(
        "  {} left",
        duration_text(sum_.seconds / count * static_cast<double>(report.steps - report.step)));
  sum_ = {};
  count_ = 0;
  return line;
}

}  // namespace vostrack::train
