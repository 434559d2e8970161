#include <fmt/format.h>

#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/prompts_file.hpp"
#include "apps/vostrack/track_jobs.hpp"
#include "apps/vostrack/track_video.hpp"
#include "apps/vostrack/usage.hpp"

namespace vostrack::cli {
namespace {

constexpr const char* kExample =
    "  vostrack track clip.mp4 --point 1:320,240 --point 1:10,20:0 \\\n"
    "      --box 2:100,80,220,300@12 --mask 3:first.png@0 --both --out out/\n"
    "\n"
    "ID is the object's number, 1 to 255 (1 when left out); LABEL is 1 on the object (when left\n"
    "out) or 0 beside it; FRAME is a number from 0 (when left out), or a time such as 1.5s.\n"
    "The same prompts, and more, in a file for --prompts:\n"
    "\n"
    "  {\"objects\": [{\"id\": 1, \"prompts\": [\n"
    "    {\"frame\": 0, \"clicks\": [[320, 240], [10, 20, 0]]},\n"
    "    {\"time\": 1.5, \"box\": [100, 80, 220, 300]},\n"
    "    {\"frame\": 40, \"mask\": \"later.png\"}]}]}";

struct TrackArguments {
  std::vector<std::string> clips;
  PromptTexts prompts;
  std::string prompts_file;
  std::string out;
  ResultChoice results;
  bool overwrite = false;
  bool quiet = false;
  std::string start;
  std::string end;
  bool both = false;
  ModelArguments model;
  bool memories_on_cpu = false;
};

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
    if (prompts.empty())
      throw UsageError(
          "nothing to track: give at least one --point x,y, --box x0,y0,x1,y1, --mask file.png or "
          "--prompts file.json");
    for (const std::string& clip : arguments.clips) work.clips.push_back({clip, "", prompts});
  }
  if (work.clips.empty()) throw UsageError("no video: give at least one");
  work.folder_each = work.clips.size() > 1 || !file.videos.empty();
  if (work.folder_each && !arguments.results.lines_path.empty())
    throw UsageError("--rle: each of several videos has a results.jsonl in its own folder");
  return work;
}

TrackSettings settings_of(const TrackArguments& arguments) {
  TrackSettings settings;
  settings.results = arguments.results;
  settings.range = {parse_limit("--start", arguments.start), parse_limit("--end", arguments.end),
                    arguments.both};
  settings.session.non_overlapping = true;  // a pixel of an indexed PNG has one label
  settings.session.memories_on_cpu = arguments.memories_on_cpu;
  settings.overwrite = arguments.overwrite;
  settings.quiet = arguments.quiet;
  return settings;
}

int track(const TrackArguments& arguments, const Console& console) {
  const TrackSettings settings = settings_of(arguments);
  const Work work = work_of(arguments);
  ModelOnDemand model(arguments.model);
  if (work.folder_each)
    return track_jobs(jobs_of(work.clips, arguments.out), arguments.out, settings, model, console);
  const PromptedClip& clip = work.clips.front();
  const TrackOutcome outcome =
      track_video({clip.path, OutputFolder(arguments.out), clip.prompts}, settings, model, console);
  if (outcome.complete) return kSuccess;
  console.err << fmt::format(
                     "vostrack: interrupted after {} of {} frames; the files hold these frames",
                     outcome.frames, outcome.wanted)
              << std::endl;
  return kInterrupted;
}

void add_prompt_options(CLI::App& app, TrackArguments& arguments) {
  const char* group = "Prompts (any number of each)";
  const auto add = [&](const char* name, auto& value, const char* text, const char* type) {
    app.add_option(name, value, text)->type_name(type)->allow_extra_args(false)->group(group);
  };
  add("--point", arguments.prompts.clicks, "Click on the object, or beside it",
      "[ID:]X,Y[:LABEL][@FRAME]");
  add("--box", arguments.prompts.boxes, "Box around the object", "[ID:]X0,Y0,X1,Y1[@FRAME]");
  add("--mask", arguments.prompts.masks, "Mask: whatever is not 0 is the object",
      "[ID:]FILE.png[@FRAME]");
  add("--masks", arguments.prompts.label_masks,
      "Indexed PNG: every label is an object with that ID", "FILE.png[@FRAME]");
  add("--prompts", arguments.prompts_file, "Prompts as JSON, as above", "FILE.json");
}

void add_result_options(CLI::App& app, TrackArguments& arguments) {
  const char* group = "Results";
  ResultChoice& results = arguments.results;
  app.add_option("--out", arguments.out, "Folder for the results")
      ->type_name("DIR")
      ->required()
      ->group(group);
  app.add_flag("--overwrite", arguments.overwrite, "Replace earlier results")->group(group);
  app.add_flag("--masks-per-object", results.masks_per_object,
               "Also write a black and white mask for each object, masks/ID/")
      ->group(group);
  app.add_option("--rle", results.lines_path,
                 "JSON lines with COCO run lengths, - for standard output [default: "
                 "results.jsonl in the folder]")
      ->type_name("FILE")
      ->group(group);
  const auto add_without = [&](const char* name, bool& wanted, const char* text) {
    app.add_flag_callback(
           name, [&wanted] { wanted = false; }, text)
        ->group(group);
  };
  add_without("--no-masks", results.masks, "Write no masks/");
  add_without("--no-rle", results.lines, "Write no results.jsonl");
  add_without("--no-overlay", results.overlay, "Write no overlay.mp4");
  app.add_option("--contact-columns", results.contact_columns,
                 "Pictures in a row of contact_sheet.png")
      ->type_name("N")
      ->check(CLI::Range(1, 16))
      ->capture_default_str()
      ->group(group);
  app.add_flag("--quiet", arguments.quiet, "Show no progress")->group(group);
}

void add_range_options(CLI::App& app, TrackArguments& arguments) {
  const char* group = "Range";
  app.add_flag("--both,--backward", arguments.both,
               "Track from the first prompt both ways: back to --start, then on to --end")
      ->group(group);
  app.add_option("--start", arguments.start,
                 "First frame [default: the first prompted one; 0 with --both]")
      ->type_name("FRAME")
      ->group(group);
  app.add_option("--end", arguments.end, "Last frame [default: the video's]")
      ->type_name("FRAME")
      ->group(group);
}

}  // namespace

void add_track(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<TrackArguments>();
  CLI::App* sub = app.add_subcommand("track", "Follows objects through a video.");
  sub->footer(kExample);
  sub->add_option("clip", arguments->clips,
                  "Video files or folders of pictures; the results of several are in folders of "
                  "their names inside --out")
      ->type_name("CLIP");
  add_prompt_options(*sub, *arguments);
  add_range_options(*sub, *arguments);
  add_result_options(*sub, *arguments);
  arguments->model.add_to(*sub);
  sub->add_flag("--memories-on-cpu", arguments->memories_on_cpu,
                "Keep memories off the GPU: slower, for long videos with many objects")
      ->group("Model");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return track(*arguments, console); };
  });
}

}  // namespace vostrack::cli
