/// A frame that arrived just now.
#pragma once

#include <chrono>
#include <cstdint>

#include "vostrack/types.hpp"

namespace vostrack::video {

using Clock = std::chrono::steady_clock;

struct LiveFrame {
  /// Numbered from 0 as they arrived: a gap is a frame that the queue's policy dropped.
  Frame frame;
  /// When its data came in, before decoding.
  Clock::time_point arrival;

  /// Seconds since its arrival.
  double latency_s() const { return std::chrono::duration<double>(Clock::now() - arrival).count(); }
};

}  // namespace vostrack::video
