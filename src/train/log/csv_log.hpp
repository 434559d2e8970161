/// Metrics as lines for people and as CSV for programs.
///
///   std::cerr << metrics_line(step, metrics) << '\n';   // step 120  loss 0.251  lr 6e-05
///   CsvLog csv("run/metrics.csv");
///   csv.add(step, metrics);
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "train/log/event_file.hpp"

namespace vostrack::train {

/// Values with four digits, two spaces between metrics, no line break.
std::string metrics_line(std::int64_t step, std::span<const Metric> metrics);

/// A line a step, flushed; the first line names the columns. A file that is there is gone on with.
class CsvLog {
 public:
  /// @throws Error kIo when it cannot be written to, kCorruptFile when it is no metrics file
  explicit CsvLog(std::string path);

  /// @throws Error kInvalidArgument for other metrics than before, or names with a comma, a quote
  ///   or a line break; kIo
  void add(std::int64_t step, std::span<const Metric> metrics);

 private:
  std::string path_;
  std::string header_;  ///< empty until the first step
  std::ofstream file_;
};

}  // namespace vostrack::train
