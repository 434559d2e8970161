/// What `vostrack track` says when it is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <set>
#include <string>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/prompt_table.hpp"
#include "apps/vostrack/track_results.hpp"
#include "vostrack/model.hpp"

namespace vostrack::cli {

struct TrackTimes {
  double prepare_s = 0;  ///< model, video and prompts
  double track_s = 0;    ///< with writing
};

double seconds_since(std::chrono::steady_clock::time_point start);

/// The part of summary.json on the model.
Json model_json(const Model& model, const ModelArguments& arguments);

/// The part of summary.json on the objects.
///
/// @param prompted  frames on which they were prompted
Json objects_json(const TrackResults& results,
                  const std::map<ObjectId, std::set<std::int64_t>>& prompted);

std::map<ObjectId, std::set<std::int64_t>> prompted_frames(const PromptTable& prompts);

/// The part of summary.json on memory, at the end.
Json memory_json(const MemoryUsage& memory);
/// The same in a line.
std::string memory_text(const MemoryUsage& memory);

/// How fast it went, what became of the objects, and where the files are.
void print_summary(std::ostream& out, const TrackResults& results, const TrackTimes& times);

double frames_per_second(std::int64_t frames, const TrackTimes& times);

}  // namespace vostrack::cli
