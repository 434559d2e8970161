#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/prompts_file.hpp"
#include "apps/vostrack/track_arguments.hpp"
#include "apps/vostrack/track_jobs.hpp"
#include "apps/vostrack/track_live.hpp"
#include "apps/vostrack/track_video.hpp"
#include "apps/vostrack/usage.hpp"

namespace vostrack::cli {
namespace {

/// The videos with their prompts, from the command line, from a file or from both.
struct Work {
  std::vector<PromptedClip> clips;
  bool folder_each = false;  ///< results of each in a folder of its own
};

Work work_of(const TrackArguments& arguments) {
  Work work;
  PromptArguments prompts = parse_prompts(arguments.prompts);
  PromptsFile file;
  if (!arguments.prompts_file.empty()) file = read_prompts_file(arguments.prompts_file);
  if (!file.videos.empty()) {
    if (!arguments.clips.empty() || !prompts.empty())
      throw UsageError(arguments.prompts_file +
                       ": names its videos with their prompts, so neither can be given beside it");
    work.clips = std::move(file.videos);
  } else {
    prompts.add(std::move(file.prompts));
    if (prompts.empty() && arguments.objects.empty())
      throw UsageError(
          "nothing to track: give at least one --point x,y, --box x0,y0,x1,y1, --mask file.png, "
          "--prompts file.json or --object file");
    for (const std::string& clip : arguments.clips) work.clips.push_back({clip, "", prompts});
  }
  if (work.clips.empty()) throw UsageError("no video: give at least one");
  work.folder_each = work.clips.size() > 1 || !file.videos.empty();
  if (work.folder_each && !arguments.results.lines_path.empty())
    throw UsageError("--rle: each of several videos has a results.jsonl in its own folder");
  if (work.folder_each && !(arguments.session_path.empty() && arguments.exports.empty()))
    throw UsageError("--save-session and --export-object: want one video");
  return work;
}

std::vector<ObjectFile> object_files_of(const TrackArguments& arguments) {
  std::vector<ObjectFile> files;
  for (const std::string& text : arguments.objects) files.push_back(parse_object_file(text));
  return files;
}

std::vector<ObjectFile> exports_of(const TrackArguments& arguments) {
  std::vector<ObjectFile> files;
  for (const std::string& text : arguments.exports) files.push_back(parse_object_export(text));
  return files;
}

TrackSettings settings_of(const TrackArguments& arguments) {
  TrackSettings settings;
  settings.results = arguments.results;
  settings.range = {parse_limit("--start", arguments.start), parse_limit("--end", arguments.end),
                    arguments.both};
  settings.session.non_overlapping = true;  // a pixel of an indexed PNG has one label
  settings.session.speed = arguments.speed;
  settings.session.memories_on_cpu = arguments.memories_on_cpu;
  if (arguments.max_memory > 0)
    settings.session.max_bytes = static_cast<std::int64_t>(arguments.max_memory);
  settings.objects = object_files_of(arguments);
  settings.exports = exports_of(arguments);
  settings.session_path = arguments.session_path;
  settings.resume = arguments.resume;
  settings.overwrite = arguments.overwrite;
  settings.quiet = arguments.quiet;
  return settings;
}

LiveSettings live_settings_of(const TrackArguments& arguments) {
  const LiveArguments& live = arguments.live;
  LiveSettings settings;
  settings.video.policy = live.queue == "block"    ? LivePolicy::kBlock
                          : live.queue == "oldest" ? LivePolicy::kDropOldest
                                                   : LivePolicy::kLatestOnly;
  if (live.no_reconnect) {
    settings.video.reconnect_at_end = false;
    settings.video.max_attempts = 0;
  }
  if (live.duration_s > 0) settings.duration_s = live.duration_s;
  settings.stream.non_overlapping = true;
  settings.stream.speed = arguments.speed;
  settings.stream.memories_on_cpu = arguments.memories_on_cpu;
  if (arguments.max_memory > 0)
    settings.stream.max_bytes = static_cast<std::int64_t>(arguments.max_memory);
  settings.objects = object_files_of(arguments);
  settings.exports = exports_of(arguments);
  settings.results = arguments.results;
  settings.overwrite = arguments.overwrite;
  settings.quiet = arguments.quiet;
  return settings;
}

/// What makes no sense together with --live.
void check_live(const TrackArguments& arguments, const Work& work) {
  if (work.folder_each) throw UsageError("--live: want one camera or address");
  if (!arguments.start.empty() || !arguments.end.empty() || arguments.both)
    throw UsageError("--live: a stream cannot be wound, so no --start, --end or --both");
  if (!arguments.session_path.empty() || arguments.resume)
    throw UsageError("--live: a stream does not come again, so no --save-session or --resume");
  if (arguments.results.sound) throw UsageError("--live: sound is not kept, so no --sound");
}

int track(const TrackArguments& arguments, const Console& console) {
  const TrackSettings settings = settings_of(arguments);
  const Work work = work_of(arguments);
  if (arguments.live.live) check_live(arguments, work);
  ModelOnDemand model(arguments.model, console);
  if (work.folder_each)
    return track_jobs(jobs_of(work.clips, arguments.out), arguments.out, settings, model, console);
  const PromptedClip& clip = work.clips.front();
  if (arguments.live.live) {
    track_live(clip.path, OutputFolder(arguments.out), clip.prompts, live_settings_of(arguments),
               model, console);
    return kSuccess;
  }
  const TrackOutcome outcome =
      track_video({clip.path, OutputFolder(arguments.out), clip.prompts}, settings, model, console);
  if (outcome.complete) return kSuccess;
  console.err << fmt::format(
                     "vostrack: interrupted after {} of {} frames; the files hold these frames",
                     outcome.frames, outcome.wanted)
              << std::endl;
  return kInterrupted;
}

}  // namespace

void add_track(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<TrackArguments>();
  CLI::App* sub = app.add_subcommand("track", "Follows objects through videos and live streams.");
  arguments->add_to(*sub);
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return track(*arguments, console); };
  });
}

}  // namespace vostrack::cli
