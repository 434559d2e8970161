#include "apps/vostrack/track_video.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <ostream>
#include <utility>

#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/progress.hpp"
#include "apps/vostrack/prompt_table.hpp"
#include "apps/vostrack/track_results.hpp"
#include "apps/vostrack/track_summary.hpp"
#include "base/check.hpp"
#include "vostrack/version.hpp"

namespace vostrack::cli {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Footage footage_of(const FrameSource& source) {
  Footage footage{source.height(), source.width()};
  const std::int64_t count = source.frame_count();
  const double length = source.pts_s(count - 1) - source.pts_s(0);
  if (count > 1 && length > 0) footage.nominal_fps = static_cast<double>(count - 1) / length;
  return footage;
}

/// Hands all frames of the range to `results`, unless it is interrupted.
void propagate(VideoSession& session, const TrackRange& range, TrackResults& results,
               Progress& progress) {
  PropagateOptions options;
  options.start = range.origin;
  bool stopped = false;
  if (range.origin > range.first) {
    options.direction = Direction::kBackward;
    options.count = range.origin - range.first;
    session.propagate(options, [&](const FrameResult& frame) {
      FrameRecord record = record_of(frame);
      // The frame that both directions share is counted once.
      if (frame.frame != range.origin) progress.step(presence_text(record));
      results.keep(std::move(record));
      stopped = interrupted();
      return !stopped;
    });
    if (stopped) return;
    results.write_kept(range.origin);
  }
  options.direction = Direction::kForward;
  options.count = range.last - range.origin;
  session.propagate(options, [&](const FrameResult& frame) {
    const FrameRecord record = record_of(frame);
    results.write(record);
    progress.step(presence_text(record));
    return !interrupted();
  });
}

}  // namespace

TrackOutcome track_video(const TrackJob& job, const TrackSettings& settings, ModelOnDemand& model,
                         const Console& console) {
  const OutputFolder& folder = job.folder;
  folder.check_free(settings.overwrite);
  const auto prepare_start = std::chrono::steady_clock::now();
  std::unique_ptr<FrameSource> source = open_video(job.clip);
  const PromptTable prompts = resolve_prompts(job.prompts, *source);
  const TrackRange range = resolve_range(settings.range, prompts, *source);
  VideoSession session(model.get(), std::move(source), settings.session);
  for (const auto& [key, prompt] : prompts) session.add_prompt(key.object, key.frame, prompt);

  // The video once more: the session reads its own as it needs.
  const std::unique_ptr<FrameSource> pictures = open_video(job.clip);
  const ResultChoice& choice = settings.results;
  Footage footage = footage_of(*pictures);
  if (choice.sound) footage.sound = job.clip;
  footage.start_s = pictures->pts_s(range.first);
  TrackResults results(
      open_writers(
          choice, folder, footage,
          spread_frames(range.first, range.last, choice.contact_columns * choice.contact_columns),
          console.out),
      prompts, [&](const FrameRecord& record) { return pictures->read(record.frame).image; });
  TrackTimes times;
  times.prepare_s = seconds_since(prepare_start);

  const auto track_start = std::chrono::steady_clock::now();
  Progress progress(job.title, range.frames(), console.err,
                    settings.quiet ? ProgressStyle::kNone : console.progress);
  std::exception_ptr failure;
  Json error_text = nullptr;
  try {
    propagate(session, range, results, progress);
  } catch (const Error& error) {
    failure = std::current_exception();
    error_text = error.what();
  }
  progress.finish();
  results.finish();
  times.track_s = seconds_since(track_start);

  const TrackOutcome outcome{results.frames() == range.frames(), results.frames(), range.frames()};
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
              {"seconds", {{"preparing", times.prepare_s}, {"tracking", times.track_s}}},
              {"frames_per_second", frames_per_second(results.frames(), times)}});
  if (failure) std::rethrow_exception(failure);
  std::ostream& out = choice.lines_path == "-" ? console.err : console.out;
  print_summary(out, results, times);
  out << "  " << folder.summary().string() << '\n';
  return outcome;
}

}  // namespace vostrack::cli
