/// Which frames of a video are tracked, and from where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "apps/vostrack/prompt_table.hpp"
#include "vostrack/frame_source.hpp"

namespace vostrack::cli {

/// Frames to track, both ends included, and where tracking begins.
struct TrackRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t origin = 0;  ///< backward from here, then forward from here

  std::int64_t frames() const { return last - first + 1; }
};

/// As the command line has it.
struct RangeArguments {
  std::optional<FrameReference> start;
  std::optional<FrameReference> end;
  bool both = false;  ///< backward too
};

/// @param name  of the option, for messages
/// @throws UsageError for a number that is none
std::optional<FrameReference> parse_limit(const char* name, const std::string& text);

/// @param prompts  the first of them is where tracking begins; without any, it is --start or 0
/// @throws Error kOutOfRange
TrackRange resolve_range(const RangeArguments& arguments, const PromptTable& prompts,
                         const FrameSource& source);

}  // namespace vostrack::cli
