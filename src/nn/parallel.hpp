/// at::parallel_for, on all threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "compile with -fopenmp: without it at::parallel_for runs on one thread"
#endif

namespace vostrack::nn {

/// The size of blocks of `count`, at most `most`, that all threads have as many of.
inline std::int64_t even_block(std::int64_t count, std::int64_t most) {
  const std::int64_t threads = at::get_num_threads();
  const auto rounds = std::max<std::int64_t>(1, at::divup(count, threads * most));
  return std::max<std::int64_t>(1, at::divup(count, threads * rounds));
}

/// Hands out 0 ≤ i < count as threads become free; `make` gives each thread what it works in.
template <class Make, class Work>
void share_out(std::int64_t count, const Make& make, const Work& work) {
  std::atomic<std::int64_t> next{0};
  const auto threads = std::min<std::int64_t>(at::get_num_threads(), count);
  at::parallel_for(0, threads, 1, [&](std::int64_t, std::int64_t) {
    auto own = make();
    for (auto i = next++; i < count; i = next++) work(own, i);
  });
}

}  // namespace vostrack::nn
