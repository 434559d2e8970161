#include "apps/vostrack/track_video.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <ostream>
#include <utility>

#include "annotations/rle.hpp"
#include "apps/vostrack/progress.hpp"
#include "apps/vostrack/prompt_table.hpp"
#include "apps/vostrack/speed_arguments.hpp"
#include "apps/vostrack/track_journal.hpp"
#include "apps/vostrack/track_results.hpp"
#include "apps/vostrack/track_run.hpp"
#include "apps/vostrack/track_summary.hpp"
#include "base/check.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

Footage footage_of(const FrameSource& source) {
  Footage footage{source.height(), source.width()};
  const std::int64_t count = source.frame_count();
  const double length = source.pts_s(count - 1) - source.pts_s(0);
  if (count > 1 && length > 0) footage.nominal_fps = static_cast<double>(count - 1) / length;
  return footage;
}

/// What must be the same for an interrupted run to go on.
Json run_json(const PromptTable& prompts, const TrackRange& range, const TrackSettings& settings,
              const Model& model) {
  Json list = Json::array();
  for (const auto& [key, prompt] : prompts) {
    Json entry = {{"id", key.object}, {"frame", key.frame}, {"clicks", Json::array()}};
    for (const Click& click : prompt.clicks)
      entry["clicks"].push_back({click.x, click.y, click.positive});
    if (prompt.box) entry["box"] = {prompt.box->x0, prompt.box->y0, prompt.box->x1, prompt.box->y1};
    if (prompt.mask)
      entry["mask"] = annotations::to_coco_string(annotations::encode_rle(*prompt.mask));
    list.push_back(std::move(entry));
  }
  Json objects = Json::array();
  for (const ObjectFile& object : settings.objects) objects.push_back(object.path);
  return {{"prompts", std::move(list)},
          {"objects", std::move(objects)},
          {"range", {range.first, range.last, range.origin}},
          {"model", {model.name(), model.image_size()}},
          {"speed", to_json(settings.session.speed)}};
}

bool is_complete(const OutputFolder& folder) {
  std::ifstream file(folder.summary());
  const Json summary = Json::parse(file, nullptr, false);
  return summary.is_object() && summary.value("complete", false);
}

VideoSession start_session(const Model& model, std::unique_ptr<FrameSource> source,
                           const PromptTable& prompts, const TrackSettings& settings) {
  VideoSession session(model, std::move(source), settings.session);
  for (const ObjectFile& object : settings.objects)
    session.import_object(object.path, object.object);
  for (const auto& [key, prompt] : prompts) session.add_prompt(key.object, key.frame, prompt);
  return session;
}

/// The file of objects is written even after an interrupt: their memories are those of prompts.
std::vector<std::string> export_objects(VideoSession& session, const TrackSettings& settings) {
  std::vector<std::string> files;
  for (const ObjectFile& object : settings.exports) {
    session.export_object(*object.object, object.path);
    files.push_back(object.path);
  }
  return files;
}

/// @throws Error kNotFound for an export of an object that is neither prompted nor imported
void check_exports(const VideoSession& session, const TrackSettings& settings) {
  const std::vector<ObjectRecord> objects = session.objects();
  for (const ObjectFile& object : settings.exports)
    check(std::any_of(objects.begin(), objects.end(),
                      [&](const ObjectRecord& known) { return known.object_id == object.object; }),
          ErrorCode::kNotFound, "--export-object {}:{}: there is no object {}", *object.object,
          object.path, *object.object);
}

}  // namespace

TrackOutcome track_video(const TrackJob& job, const TrackSettings& settings, ModelOnDemand& model,
                         const Console& console) {
  const OutputFolder& folder = job.folder;
  const ResultChoice& choice = settings.results;
  std::ostream& out = choice.lines_path == "-" ? console.err : console.out;
  if (settings.resume && is_complete(folder)) {
    out << folder.root().string() << ": complete already\n";
    return {true, 0, 0};
  }
  folder.check_free(settings.overwrite || settings.resume);
  const auto prepare_start = std::chrono::steady_clock::now();
  std::unique_ptr<FrameSource> source = open_video(job.clip);
  const PromptTable prompts = resolve_prompts(job.prompts, *source);
  const TrackRange range = resolve_range(settings.range, prompts, *source);
  const Json run = run_json(prompts, range, settings, model.get());
  std::vector<FrameRecord> done;
  std::optional<TrackJournal> journal;
  if (settings.resume && !settings.session_path.empty() && fs::exists(settings.session_path))
    journal = TrackJournal::resume(folder.journal().string(), run, done);
  VideoSession session = journal ? VideoSession::load(settings.session_path, model.get(),
                                                      std::move(source), settings.session)
                                 : start_session(model.get(), std::move(source), prompts, settings);
  check_exports(session, settings);

  // The video once more: the session reads its own as it needs.
  const std::unique_ptr<FrameSource> pictures = open_video(job.clip);
  Footage footage = footage_of(*pictures);
  if (choice.sound) footage.sound = job.clip;
  footage.start_s = pictures->pts_s(range.first);
  TrackResults results(
      open_writers(
          choice, folder, footage,
          spread_frames(range.first, range.last, choice.contact_columns * choice.contact_columns),
          console.out),
      prompts, [&](const FrameRecord& record) { return pictures->read(record.frame).image; });
  Progress progress(job.title, range.frames(), console.err,
                    settings.quiet ? ProgressStyle::kNone : console.progress);
  TrackRun tracking(session, range, results, progress);
  if (!journal) fs::remove(folder.journal());
  if (!journal && !settings.session_path.empty()) journal.emplace(folder.journal().string(), run);
  if (journal) tracking.save_to(settings.session_path, *journal);
  TrackTimes times;
  times.prepare_s = seconds_since(prepare_start);

  const auto track_start = std::chrono::steady_clock::now();
  std::exception_ptr failure;
  Json error_text = nullptr;
  try {
    tracking.replay(done);
    tracking.track();
    results.flush();
  } catch (const Error& error) {
    failure = std::current_exception();
    error_text = error.what();
  }
  progress.finish();
  tracking.save();
  results.finish();
  times.track_s = seconds_since(track_start);

  const TrackOutcome outcome{results.frames() == range.frames(), results.frames(), range.frames()};
  std::vector<std::string> files = export_objects(session, settings);
  if (!settings.session_path.empty()) files.push_back(settings.session_path);
  const MemoryUsage memory = session.memory_usage();
  write_json(folder.summary().string(),
             {{"vostrack", VOSTRACK_VERSION},
              {"video", job.clip},
              {"width", session.source().width()},
              {"height", session.source().height()},
              {"frames",
               {{"in_video", session.source().frame_count()},
                {"first", range.first},
                {"last", range.last},
                {"tracked", results.frames()}}},
              {"complete", outcome.complete},
              {"error", error_text},
              {"model", model_json(model.get(), model.arguments())},
              {"objects", objects_json(results, prompted_frames(prompts))},
              {"memory", memory_json(memory)},
              {"speed", to_json(session.speed_report())},
              {"seconds", {{"preparing", times.prepare_s}, {"tracking", times.track_s}}},
              {"frames_per_second", frames_per_second(results.frames(), times)}});
  if (outcome.complete) fs::remove(folder.journal());
  if (failure) std::rethrow_exception(failure);
  print_summary(out, results, times);
  if (const std::string text = speed_text(session.speed_report()); !text.empty())
    out << "  " << text << '\n';
  out << "  " << memory_text(memory) << '\n';
  for (const std::string& file : files) out << "  " << file << '\n';
  out << "  " << folder.summary().string() << '\n';
  return outcome;
}

}  // namespace vostrack::cli
