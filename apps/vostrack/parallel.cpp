#include "apps/vostrack/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "apps/vostrack/interrupt.hpp"
#include "vostrack/session.hpp"

namespace vostrack::cli {

void in_parallel(std::size_t count, int jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&] {
    while (!interrupted()) {
      const std::size_t i = next++;
      if (i >= count) return;
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int k = 1; k < jobs && static_cast<std::size_t>(k) < count; ++k)
      threads.emplace_back(loop);
    loop();
  }
  if (failure) std::rethrow_exception(failure);
}

int cores() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::optional<std::int64_t> available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name;
  std::int64_t kilobytes = 0;
  while (file >> name >> kilobytes) {
    if (name == "MemAvailable:") return 1024 * kilobytes;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

int jobs_that_fit(int cores, int image_size, std::optional<std::int64_t> memory) {
  if (!memory) return 1;
  // The largest network takes about so much for a frame of 1024 pixels.
  constexpr double kFrameBytes = 3e9;
  const double side = image_size / 1024.0;
  const double each =
      static_cast<double>(SessionConfig().max_bytes.value_or(0)) + kFrameBytes * side * side;
  return std::clamp(static_cast<int>(static_cast<double>(*memory) / 2 / each), 1, cores);
}

}  // namespace vostrack::cli
