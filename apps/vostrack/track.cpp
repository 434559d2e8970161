#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/output_folder.hpp"
#include "apps/vostrack/prompts.hpp"
#include "apps/vostrack/track_results.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"
#include "vostrack/session.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

struct TrackArguments {
  std::string clip;
  PromptTexts prompts;
  std::string out;
  std::string start;
  std::string end;
  bool backward = false;
  bool no_overlay = false;
  bool no_masks = false;
  bool overwrite = false;
  bool quiet = false;
  bool memories_on_cpu = false;
  int contact_columns = TrackResultOptions().contact_columns;
  ModelArguments model;
};

/// Frames to track, both ends included, and where tracking begins.
struct Range {
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::int64_t origin = 0;  ///< backward from here, then forward from here

  std::int64_t frames() const { return last - first + 1; }
};

/// @throws UsageError for a number that is none
std::optional<FrameReference> parse_limit(const char* name, const std::string& text) {
  if (text.empty()) return std::nullopt;
  try {
    return parse_frame(text);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", name, error.what()));
  }
}

/// @throws Error kOutOfRange
std::int64_t resolve_limit(const char* name, const FrameReference& frame,
                           const FrameSource& source) {
  try {
    return resolve_frame(frame, source);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}", name, error.what()));
  }
}

Range resolve_range(const std::optional<FrameReference>& start,
                    const std::optional<FrameReference>& end, bool backward,
                    const PromptTable& prompts, const FrameSource& source) {
  std::int64_t prompted = source.frame_count();
  for (const auto& [key, prompt] : prompts) prompted = std::min(prompted, key.frame);
  Range range;
  range.first = start ? resolve_limit("--start", *start, source) : backward ? 0 : prompted;
  range.last = end ? resolve_limit("--end", *end, source) : source.frame_count() - 1;
  range.origin = backward ? prompted : range.first;
  check(range.first <= range.last, ErrorCode::kOutOfRange,
        "the range from frame {} to {} is empty; the first prompt is on frame {}, and --start and "
        "--end set the range",
        range.first, range.last, prompted);
  check(range.first <= range.origin && range.origin <= range.last, ErrorCode::kOutOfRange,
        "the first prompt, on frame {}, must lie within --start {} and --end {} for --backward",
        prompted, range.first, range.last);
  return range;
}

/// Hands all frames of the range to `results`, unless it is interrupted.
void propagate(VideoSession& session, const Range& range, TrackResults& results,
               Progress& progress) {
  PropagateOptions options;
  options.start = range.origin;
  if (range.origin > range.first) {
    options.direction = Direction::kBackward;
    options.count = range.origin - range.first;
    session.propagate(options, [&](const FrameResult& frame) {
      results.keep(record_of(frame));
      // The frame that both directions share is counted once.
      if (frame.frame != range.origin) progress.step();
      return !interrupted();
    });
    if (interrupted()) return;
    results.write_kept(range.origin);
  }
  options.direction = Direction::kForward;
  options.count = range.last - range.origin;
  session.propagate(options, [&](const FrameResult& frame) {
    results.write(record_of(frame));
    progress.step();
    return !interrupted();
  });
}

struct Times {
  double prepare_s = 0;  ///< model, video and prompts
  double track_s = 0;    ///< with writing
};

Json summary_json(const TrackArguments& arguments, const Model& model, const FrameSource& source,
                  const Range& range, const PromptTable& prompts, const TrackResults& results,
                  const Times& times, bool complete) {
  Json json = {{"vostrack", VOSTRACK_VERSION},
               {"video", arguments.clip},
               {"width", source.width()},
               {"height", source.height()},
               {"frames",
                {{"in_video", source.frame_count()},
                 {"first", range.first},
                 {"last", range.last},
                 {"tracked", results.frames()}}},
               {"complete", complete},
               {"model",
                {{"path", model.path()},
                 {"name", model.name()},
                 {"image_size", model.image_size()},
                 {"device", arguments.model.device},
                 {"precision", arguments.model.precision}}},
               {"objects", Json::array()},
               {"seconds", {{"preparing", times.prepare_s}, {"tracking", times.track_s}}},
               {"frames_per_second",
                times.track_s > 0 ? static_cast<double>(results.frames()) / times.track_s : 0.0}};
  for (const auto& [id, object] : results.objects()) {
    Json entry = {{"id", id},
                  {"prompted_frames", Json::array()},
                  {"frames", object.frames},
                  {"visible_frames", object.visible_frames},
                  {"mean_object_score", object.mean_score()},
                  {"mean_area", object.mean_area()},
                  {"first_seen", nullptr},
                  {"last_seen", nullptr}};
    for (const auto& [key, prompt] : prompts)
      if (key.object == id) entry["prompted_frames"].push_back(key.frame);
    if (object.visible_frames > 0) {
      entry["first_seen"] = {{"frame", object.first_seen}, {"pts_s", object.first_seen_s}};
      entry["last_seen"] = {{"frame", object.last_seen}, {"pts_s", object.last_seen_s}};
    }
    json["objects"].push_back(entry);
  }
  return json;
}

void print_summary(std::ostream& out, const TrackResults& results, const Times& times) {
  const auto count = results.objects().size();
  out << fmt::format("Tracked {} object{} through {} frames in {:.1f} s ({:.1f} fps)\n", count,
                     count == 1 ? "" : "s", results.frames(), times.track_s,
                     static_cast<double>(results.frames()) / std::max(times.track_s, 1e-9));
  for (const auto& [id, object] : results.objects()) {
    out << fmt::format("  object {}: visible on {} of {} frames", id, object.visible_frames,
                       object.frames);
    if (object.visible_frames > 0)
      out << fmt::format(", {} to {}, mean score {:.1f}", object.first_seen, object.last_seen,
                         object.mean_score());
    out << '\n';
  }
  for (const std::string& file : results.files()) out << "  " << file << '\n';
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

int track(const TrackArguments& arguments, const Console& console) {
  const PromptArguments prompt_arguments = parse_prompts(arguments.prompts);
  const auto start = parse_limit("--start", arguments.start);
  const auto end = parse_limit("--end", arguments.end);
  const OutputFolder folder(arguments.out);
  folder.check_free(arguments.overwrite);

  // Everything that can be wrong is found out before the folder is touched.
  const auto prepare_start = std::chrono::steady_clock::now();
  std::unique_ptr<FrameSource> source = open_video(arguments.clip);
  const PromptTable prompts = resolve_prompts(prompt_arguments, *source);
  const Range range = resolve_range(start, end, arguments.backward, prompts, *source);
  const Model model = arguments.model.load();
  SessionConfig config;
  config.non_overlapping = true;  // a pixel of an indexed PNG has one label
  config.memories_on_cpu = arguments.memories_on_cpu;
  VideoSession session(model, std::move(source), config);
  for (const auto& [key, prompt] : prompts) session.add_prompt(key.object, key.frame, prompt);
  folder.prepare(!arguments.no_masks);
  TrackResultOptions options;
  options.masks = !arguments.no_masks;
  options.overlay = !arguments.no_overlay;
  options.contact_columns = arguments.contact_columns;
  options.first = range.first;
  options.last = range.last;
  TrackResults results(folder, options, open_video(arguments.clip), prompts);
  Times times;
  times.prepare_s = seconds_since(prepare_start);

  const auto track_start = std::chrono::steady_clock::now();
  Progress progress("Tracking", range.frames(), console.err,
                    arguments.quiet ? ProgressStyle::kNone : console.progress);
  propagate(session, range, results, progress);
  progress.finish();
  results.finish();
  times.track_s = seconds_since(track_start);

  const bool complete = results.frames() == range.frames();
  write_json(folder.summary().string(), summary_json(arguments, model, session.source(), range,
                                                     prompts, results, times, complete));
  print_summary(console.out, results, times);
  console.out << "  " << folder.summary().string() << '\n';
  if (complete) return kSuccess;
  console.err << fmt::format(
                     "vostrack: interrupted after {} of {} frames; the files hold these frames",
                     results.frames(), range.frames())
              << std::endl;
  return kInterrupted;
}

}  // namespace

void add_track(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<TrackArguments>();
  CLI::App* sub = app.add_subcommand("track", "Follows objects through a video.");
  sub->footer(
      "  vostrack track clip.mp4 --point 1:320,240 --point 1:10,20:0 \\\n"
      "      --box 2:100,80,220,300@12 --mask 3:first.png@0 --out out/\n"
      "\n"
      "ID is the object's number, 1 to 255 (1 when left out); LABEL is 1 on the object (when left\n"
      "out) or 0 beside it; FRAME is a number from 0 (when left out), or a time such as 1.5s.");
  sub->add_option("clip", arguments->clip, "Video file or folder of pictures")->required();
  const char* prompts = "Prompts (any number of each)";
  sub->add_option("--point", arguments->prompts.clicks, "Click on the object, or beside it")
      ->type_name("[ID:]X,Y[:LABEL][@FRAME]")
      ->allow_extra_args(false)
      ->group(prompts);
  sub->add_option("--box", arguments->prompts.boxes, "Box around the object")
      ->type_name("[ID:]X0,Y0,X1,Y1[@FRAME]")
      ->allow_extra_args(false)
      ->group(prompts);
  sub->add_option("--mask", arguments->prompts.masks, "Mask: whatever is not 0 is the object")
      ->type_name("[ID:]FILE.png[@FRAME]")
      ->allow_extra_args(false)
      ->group(prompts);
  sub->add_option("--masks", arguments->prompts.label_masks,
                  "Indexed PNG: every label is an object with that ID")
      ->type_name("FILE.png[@FRAME]")
      ->allow_extra_args(false)
      ->group(prompts);
  const char* results = "Results";
  sub->add_option("--out", arguments->out, "Folder for the results")
      ->type_name("DIR")
      ->required()
      ->group(results);
  sub->add_flag("--overwrite", arguments->overwrite, "Replace earlier results")->group(results);
  sub->add_flag("--no-masks", arguments->no_masks, "Write no masks/")->group(results);
  sub->add_flag("--no-overlay", arguments->no_overlay, "Write no overlay.mp4")->group(results);
  sub->add_option("--contact-columns", arguments->contact_columns,
                  "Pictures in a row of contact_sheet.png")
      ->type_name("N")
      ->check(CLI::Range(1, 16))
      ->capture_default_str()
      ->group(results);
  sub->add_flag("--quiet", arguments->quiet, "Show no progress")->group(results);
  const char* range = "Range";
  sub->add_option("--start", arguments->start,
                  "First frame [default: the first prompted one; 0 with --backward]")
      ->type_name("FRAME")
      ->group(range);
  sub->add_option("--end", arguments->end, "Last frame [default: the video's]")
      ->type_name("FRAME")
      ->group(range);
  sub->add_flag("--backward", arguments->backward,
                "Track backward too, from the first prompted frame to --start")
      ->group(range);
  arguments->model.add_to(*sub);
  sub->add_flag("--memories-on-cpu", arguments->memories_on_cpu,
                "Keep memories off the GPU: slower, for long videos with many objects")
      ->group("Model");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return track(*arguments, console); };
  });
}

}  // namespace vostrack::cli
