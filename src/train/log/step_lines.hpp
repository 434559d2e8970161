/// Steps as lines for people.
///
///   StepLines lines(10);
///   if (auto line = lines.add(report)) std::cerr << *line << '\n';
///   // step 20/1000  dice 0.2510  …  rate 1.00e-04  norm 0.42  1.20 s  19 min left
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "train/report.hpp"

namespace vostrack::train {

class StepLines {
 public:
  /// @param every  a line so many steps, with means over them; the first and the last step and
  ///   those with a validation have one too
  explicit StepLines(std::int64_t every) : every_(every) {}

  std::optional<std::string> add(const StepReport& report);

 private:
  std::int64_t every_;
  std::int64_t count_ = 0;  ///< steps in `sum_`
  StepReport sum_;
  bool first_ = true;
};

}  // namespace vostrack::train
