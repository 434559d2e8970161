#include "train/log/run_log.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <span>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/check.hpp"
#include "train/log/png.hpp"

namespace vostrack::train {
namespace {

double unix_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// One below the other, on black where one is narrower.
Image stacked(const std::vector<Image>& rows) {
  Image sheet;
  for (const Image& row : rows) {
    sheet.height += row.height;
    sheet.width = std::max(sheet.width, row.width);
  }
  const auto line = 3 * static_cast<std::size_t>(sheet.width);
  sheet.rgb.resize(line * static_cast<std::size_t>(sheet.height));
  auto to = sheet.rgb.begin();
  for (const Image& row : rows)
    for (int y = 0; y < row.height; ++y, to += static_cast<std::ptrdiff_t>(line))
      std::copy_n(row.rgb.begin() + std::ptrdiff_t{3} * y * row.width, 3 * row.width, to);
  return sheet;
}

}  // namespace

std::vector<Metric> metrics_of(const StepReport& report) {
  std::vector<Metric> metrics;
  for (const auto& [name, value] : report.losses) metrics.emplace_back("loss/" + name, value);
  metrics.emplace_back("learning_rate", report.learning_rate);
  metrics.emplace_back("gradient_norm", report.gradient_norm);
  metrics.emplace_back("objects", static_cast<double>(report.objects));
  metrics.emplace_back("seconds", report.seconds);
  metrics.emplace_back("waiting_seconds", report.waiting_s);
  metrics.emplace_back("validation/score",
                       report.score.value_or(std::numeric_limits<double>::quiet_NaN()));
  return metrics;
}

RunLog::RunLog(const std::string& folder, std::int64_t first_step)
    : folder_(folder), csv_(folder + "/metrics.csv", first_step), events_(folder, unix_now()) {
  events_.restart({first_step, unix_now()});
}

void RunLog::add(const StepReport& report) {
  std::vector<Metric> metrics = metrics_of(report);
  csv_.add(report.step, metrics);
  std::erase_if(metrics, [](const Metric& metric) { return std::isnan(metric.second); });
  events_.add({report.step, unix_now()}, metrics);
}

void RunLog::add_pictures(std::int64_t step, const std::vector<std::vector<ComparedFrame>>& clips) {
  if (clips.empty()) return;
  std::vector<Image> rows;
  for (const auto& clip : clips) {
    rows.push_back(comparison(clip));
    events_.add_picture({step, unix_now()}, fmt::format("examples/{}", rows.size()), rows.back());
  }
  const std::filesystem::path pictures = std::filesystem::path(folder_) / "pictures";
  std::error_code error;
  std::filesystem::create_directories(pictures, error);
  check(!error, ErrorCode::kIo, "{}: {}", pictures.string(), error.message());
  const std::string png = encode_png(stacked(rows));
  write_file_atomically((pictures / fmt::format("{:06}.png", step)).string(),
                        {reinterpret_cast<const std::uint8_t*>(png.data()), png.size()});
}

}  // namespace vostrack::train
