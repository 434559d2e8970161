/// Work on several things at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace vostrack::cli {

/// Calls `work(i)` for 0 ≤ i < count on some threads. The first exception stops the rest and is
/// thrown again here; an interruption stops them too.
void in_parallel(std::size_t count, int jobs, const std::function<void(std::size_t)>& work);

/// Cores of this machine, at least 1.
int cores();

/// Bytes of memory that programs may still take; nothing where the system does not tell.
std::optional<std::int64_t> available_memory();

/// How many sequences to track at a time: one for each core, while half of the memory that is free
/// holds what each may keep and what the networks need for a frame.
///
/// @param image_size  side of the networks' input
int jobs_that_fit(int cores, int image_size, std::optional<std::int64_t> memory);

}  // namespace vostrack::cli
