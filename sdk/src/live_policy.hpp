/// The queue's rules, in the words of both sides.
#pragma once

#include "base/check.hpp"
#include "video/frame_queue.hpp"
#include "vostrack/live.hpp"

namespace vostrack {

/// @throws Error kInvalidArgument for what is no value of the enumeration
inline video::QueuePolicy inner(LivePolicy policy) {
  switch (policy) {
    case LivePolicy::kBlock:
      return video::QueuePolicy::kBlock;
    case LivePolicy::kDropOldest:
      return video::QueuePolicy::kDropOldest;
    case LivePolicy::kLatestOnly:
      return video::QueuePolicy::kLatestOnly;
  }
  fail(ErrorCode::kInvalidArgument, "policy: {} is none of the known ones",
       static_cast<int>(policy));
}

}  // namespace vostrack
