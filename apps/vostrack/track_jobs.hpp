/// Several videos, one after the other.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/prompts_file.hpp"
#include "apps/vostrack/track_video.hpp"

namespace vostrack::cli {

/// A job for each clip, with a folder of its own inside `out`: named after the clip, with _2 and so
/// on behind names that come again.
std::vector<TrackJob> jobs_of(const std::vector<PromptedClip>& clips,
                              const std::filesystem::path& out);

/// Tracks them all. One that fails is reported and does not keep the others from being tracked;
/// an interrupt ends the one at hand and starts no more. `out`/summary.json says how each ended,
/// and is rewritten after each.
///
/// @return the exit status: kFailure when any failed, kInterrupted after an interrupt
/// @throws Error kInvalidArgument when earlier results are in the way, kIo
int track_jobs(const std::vector<TrackJob>& jobs, const std::filesystem::path& out,
               const TrackSettings& settings, ModelOnDemand& model, const Console& console);

}  // namespace vostrack::cli
