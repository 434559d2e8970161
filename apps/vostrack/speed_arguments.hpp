/// What may be left out to be faster.
#pragma once

#include <string>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/json_file.hpp"
#include "vostrack/speed.hpp"

namespace vostrack::cli {

/// Adds --recent-memories, --recent-pointers, --pooled-memories and --sparse-memories.
void add_memory_options(CLI::App& app, SpeedOptions& speed);
/// Adds these and --keyframes, --hold-still, --refresh and --budget.
void add_speed_options(CLI::App& app, SpeedOptions& speed);

/// The options, for run's and reports' files.
Json to_json(const SpeedOptions& speed);
/// What they made of it.
Json to_json(const SpeedReport& report);

/// The same in a line; empty when everything was tracked without a budget.
std::string speed_text(const SpeedReport& report);

}  // namespace vostrack::cli
