/// The files by which a run is followed.
///
///   RunLog log("run1", /*first_step=*/1);
///   log.add(report);                        // run1/metrics.csv and run1/events.out.tfevents…
///   log.add_pictures(100, {{frames}});      // run1/pictures/000100.png, and the event file
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "train/log/comparison.hpp"
#include "train/log/csv_log.hpp"
#include "train/log/event_file.hpp"
#include "train/report.hpp"

namespace vostrack::train {

/// A step's numbers under the names that all logs have them by; `validation/score` is NaN without a
/// validation.
std::vector<Metric> metrics_of(const StepReport& report);

class RunLog {
 public:
  /// @param first_step  from which on the run goes on: what an interrupted run told of this step
  ///   and later ones is taken back, since they are taken again
  /// @throws Error as CsvLog and EventFile
  RunLog(const std::string& folder, std::int64_t first_step);

  /// @throws Error kIo
  void add(const StepReport& report);
  /// A row for each clip, its frames from left to right.
  void add_pictures(std::int64_t step, const std::vector<std::vector<ComparedFrame>>& clips);

 private:
  std::string folder_;
  CsvLog csv_;
  EventFile events_;
};

}  // namespace vostrack::train
