#include "apps/vostrack/track_range.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"

namespace vostrack::cli {
namespace {

/// @throws Error kOutOfRange
std::int64_t resolve_limit(const char* name, const FrameReference& frame,
                           const FrameSource& source) {
  try {
    return resolve_frame(frame, source);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", name, error.what()));
  }
}

}  // namespace

std::optional<FrameReference> parse_limit(const char* name, const std::string& text) {
  if (text.empty()) return std::nullopt;
  try {
    return parse_frame(text);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", name, error.what()));
  }
}

TrackRange resolve_range(const RangeArguments& arguments, const PromptTable& prompts,
                         const FrameSource& source) {
  const auto& [start, end, both] = arguments;
  std::int64_t prompted = prompts.empty() ? 0 : source.frame_count();
  for (const auto& [key, prompt] : prompts) prompted = std::min(prompted, key.frame);
  TrackRange range;
  range.first = start ? resolve_limit("--start", *start, source) : both ? 0 : prompted;
  range.last = end ? resolve_limit("--end", *end, source) : source.frame_count() - 1;
  range.origin = both && !prompts.empty() ? prompted : range.first;
  check(range.first <= range.last, ErrorCode::kOutOfRange,
        "the range from frame {} to {} is empty; the first prompt is on frame {}, and --start and "
        "--end set the range",
        range.first, range.last, prompted);
  check(range.first <= range.origin && range.origin <= range.last, ErrorCode::kOutOfRange,
        "the first prompt, on frame {}, must lie within --start {} and --end {} for --both",
        prompted, range.first, range.last);
  return range;
}

}  // namespace vostrack::cli
