/// What benchmarks measure with. Nothing of LibTorch is in here.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

namespace vostrack::bench {

/// @param values  at least one
inline double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// How long `work` takes: by the clock, or in processor time of all threads together.
template <class Work>
double milliseconds(const Work& work, bool cpu_time) {
  if (cpu_time) {
    const auto before = std::clock();
    work();
    return 1e3 * static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  }
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

/// A field of the process's status in MiB, such as VmRSS, what is resident, or VmHWM, the most that
/// was; 0 where the system does not tell.
inline double status_mib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(field + ":", 0) == 0)
      return std::strtod(line.c_str() + field.size() + 1, nullptr) / 1024;
  return 0;
}

inline double resident_mib() {
  return status_mib("VmRSS");
}

}  // namespace vostrack::bench
