/// Checks: errors of the caller's, and our own bugs.
///
///   check(height > 0, ErrorCode::kInvalidArgument, "height is {}, want at least 1", height);
///   VOSTRACK_ASSERT(slots.size() <= capacity);
#pragma once

#include <fmt/format.h>

#include <utility>

#include "vostrack/error.hpp"

namespace vostrack {

/// Throws an Error with a formatted message.
template <class... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(code, fmt::format(text, std::forward<Args>(args)...));
}

/// Throws unless `condition` holds. The message is formatted only then.
template <class... Args>
void check(bool condition, ErrorCode code, fmt::format_string<Args...> text, Args&&... args) {
  if (!condition) [[unlikely]]
    fail(code, text, std::forward<Args>(args)...);
}

}  // namespace vostrack

/// States what must hold if our own code is right.
#define VOSTRACK_ASSERT(condition)                                                             \
  do {                                                                                         \
    if (!(condition)) [[unlikely]]                                                             \
      ::vostrack::fail(::vostrack::ErrorCode::kInternal,                                       \
                       "this is a bug in vostrack, please report it: {}:{}: {} does not hold", \
                       __FILE__, __LINE__, #condition);                                        \
  } while (false)
