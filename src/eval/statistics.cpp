#include "eval/statistics.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "base/check.hpp"

namespace vostrack::eval {
namespace {

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

Statistics statistics(std::span<const double> values) {
  check(!values.empty(), ErrorCode::kInvalidArgument, "no frames to take statistics of");
  const std::size_t last = values.size() - 1;
  // round(i · last / 4), halves up
  const auto quarter = [&](std::size_t i) { return (i * last + 2) / 4; };
  Statistics result;
  result.mean = mean(values);
  result.recall = static_cast<double>(std::count_if(values.begin(), values.end(),
                                                    [](double value) { return value > 0.5; })) /
                  static_cast<double>(values.size());
  result.decay = mean(values.subspan(0, quarter(1) + 1)) - mean(values.subspan(quarter(3)));
  return result;
}

Statistics mean_of(std::span<const Statistics> entries) {
  check(!entries.empty(), ErrorCode::kInvalidArgument, "no scores to take the mean of");
  Statistics sum;
  for (const Statistics& entry : entries) {
    sum.mean += entry.mean;
    sum.recall += entry.recall;
    sum.decay += entry.decay;
  }
  const auto count = static_cast<double>(entries.size());
  return {sum.mean / count, sum.recall / count, sum.decay / count};
}

}  // namespace vostrack::eval
