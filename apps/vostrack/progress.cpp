#include "apps/vostrack/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

namespace vostrack::cli {
namespace {

constexpr int kBarWidth = 30;
constexpr std::chrono::milliseconds kBarInterval{100};
constexpr std::chrono::seconds kLineInterval{10};

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::max(0.0, seconds)));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60)
                   : fmt::format("{}:{:02}", minutes, whole % 60);
}

Progress::Progress(std::string what, std::int64_t total, std::ostream& err, ProgressStyle style)
    : what_(std::move(what)), total_(total), err_(err), style_(style) {}

Progress::~Progress() {
  // Whatever comes next, an error message for one, belongs on a line of its own.
  if (!finished_ && style_ == ProgressStyle::kBar && shown_ >= 0) err_ << std::endl;
}

void Progress::step(std::string note) {
  note_ = std::move(note);
  ++done_;
  last_step_ = Clock::now();
  const auto interval = style_ == ProgressStyle::kBar
                            ? std::chrono::duration_cast<Clock::duration>(kBarInterval)
                            : std::chrono::duration_cast<Clock::duration>(kLineInterval);
  if (last_step_ - last_shown_ >= interval) show();
}

void Progress::finish() {
  if (finished_) return;
  if (shown_ != done_) show();
  if (style_ == ProgressStyle::kBar) err_ << std::endl;
  finished_ = true;
}

double Progress::seconds() const noexcept {
  return std::chrono::duration<double>(last_step_ - start_).count();
}

void Progress::show() {
  last_shown_ = Clock::now();
  shown_ = done_;
  if (style_ == ProgressStyle::kNone) return;
  const double rate = seconds() > 0 ? static_cast<double>(done_) / seconds() : 0;
  const std::int64_t left = std::max<std::int64_t>(0, total_ - done_);
  const std::string count =
      total_ > 0 ? fmt::format("{}/{}", done_, total_) : std::to_string(done_);
  std::string text = fmt::format("{} {} frames, {:.1f} fps", what_, count, rate);
  if (left > 0 && rate > 0)
    text += fmt::format(", {} left", duration_text(static_cast<double>(left) / rate));
  if (!note_.empty()) text += ", " + note_;
  if (style_ == ProgressStyle::kLines) {
    err_ << text << std::endl;
    return;
  }
  if (total_ == 0) {
    err_ << "\r" << text << "\033[K" << std::flush;
    return;
  }
  const auto filled =
      static_cast<std::size_t>(std::min<std::int64_t>(kBarWidth, kBarWidth * done_ / total_));
  err_ << fmt::format("\r[{:<{}}] {}\033[K", std::string(filled, '#'), kBarWidth, text)
       << std::flush;
}

}  // namespace vostrack::cli
