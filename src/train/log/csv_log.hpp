/// Metrics as CSV for programs.
///
///   CsvLog csv("run/metrics.csv", /*first_step=*/1);
///   csv.add(step, metrics);
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>

#include "train/log/event_file.hpp"

namespace vostrack::train {

/// A line a step, flushed; the first line names the columns, and a value that is NaN is an empty
/// cell. A file that is there is gone on with.
class CsvLog {
 public:
  /// @param first_step  earlier lines of this step and later ones are taken out, and so is a line
  ///   that was not written to its end
  /// @throws Error kIo when it cannot be written to, kCorruptFile when it is no metrics file
  CsvLog(std::string path, std::int64_t first_step);

  /// @throws Error kInvalidArgument for other metrics than before, or names with a comma, a quote
  ///   or a line break; kIo
  void add(std::int64_t step, std::span<const Metric> metrics);

 private:
  void keep_before(std::int64_t first_step);

  std::string path_;
  std::string header_;  ///< empty until the first step
  std::ofstream file_;
};

}  // namespace vostrack::train
