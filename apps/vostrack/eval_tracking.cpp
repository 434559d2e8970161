#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <ostream>
#include <utility>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/eval_command.hpp"
#include "apps/vostrack/eval_page.hpp"
#include "apps/vostrack/eval_report.hpp"
#include "apps/vostrack/eval_track.hpp"
#include "apps/vostrack/eval_worst.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/parallel.hpp"

// Tracks annotated sequences and scores them, or scores masks that are there.

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

/// Progress that several threads take.
class SharedProgress {
 public:
  SharedProgress(std::string what, std::int64_t total, const Console& console, bool quiet)
      : progress_(std::move(what), total, console.err,
                  quiet ? ProgressStyle::kNone : console.progress) {}
  void step() {
    const std::lock_guard lock(mutex_);
    progress_.step();
  }
  void finish() { progress_.finish(); }

 private:
  std::mutex mutex_;
  Progress progress_;
};

/// What became of each case; nothing for those that an interruption cut off.
using Outcomes = std::vector<std::optional<EvalSequence>>;

Outcomes score_cases(const std::vector<Case>& cases, const EvalArguments& arguments,
                     const eval::Protocol& protocol, const Console& console) {
  Outcomes outcomes(cases.size());
  std::int64_t frames = 0;
  for (const Case& one : cases) frames += static_cast<std::int64_t>(one.truth.frames().size());
  SharedProgress progress("Scoring", frames, console, arguments.quiet);
  in_parallel(cases.size(), arguments.jobs, [&](std::size_t i) {
    const Case& one = cases[i];
    const eval::MaskSequence results(one.results, one.truth.rule());
    EvalSequence scored;
    scored.score = eval::score_sequence(one.sequence.name, one.truth, results, protocol);
    outcomes[i] = std::move(scored);
    for (std::size_t frame = 0; frame < one.truth.frames().size(); ++frame) progress.step();
  });
  progress.finish();
  return outcomes;
}

Outcomes track_cases(const std::vector<Case>& cases, std::int64_t frames, const Model& model,
                     const EvalArguments& arguments, const eval::Protocol& protocol,
                     const Console& console) {
  Outcomes outcomes(cases.size());
  SharedProgress progress("Tracking", frames, console, arguments.quiet);
  in_parallel(cases.size(), arguments.jobs, [&](std::size_t i) {
    const Case& one = cases[i];
    const TrackedSequence tracked =
        track_sequence(model, one.sequence, one.truth, protocol.late, kPrompts.at(arguments.prompt),
                       arguments.speed, one.results, [&] { progress.step(); });
    if (!tracked.complete) return;
    const eval::MaskSequence results(one.results, one.truth.rule());
    EvalSequence scored;
    scored.score = eval::score_sequence(one.sequence.name, one.truth, results, protocol);
    scored.tracked_frames = tracked.frames;
    scored.seconds = tracked.seconds;
    scored.speed = tracked.speed;
    outcomes[i] = std::move(scored);
  });
  progress.finish();
  return outcomes;
}

bool on_gpu(const EvalArguments& arguments) {
  return arguments.model.device.rfind("cuda", 0) == 0;
}

/// As many threads for each sequence as leave none waiting for a core.
void share_threads(const EvalArguments& arguments, std::size_t sequences) {
  const int jobs = std::min(arguments.jobs, static_cast<int>(sequences));
  if (arguments.model.threads == 0 && jobs > 1) set_num_threads(std::max(1, cores() / jobs));
}

}  // namespace

int evaluate_tracking(EvalArguments arguments, const Console& console) {
  const ReportFolder folder(arguments.out);
  folder.check_free(arguments.overwrite);
  const bool tracks = arguments.results.empty();
  const eval::Protocol protocol = protocol_of(arguments);
  const std::vector<Case> cases =
      open_cases(arguments, tracks ? folder.masks() : fs::path(arguments.results));
  EvalReport report;
  report.dataset = arguments.dataset;
  report.root = arguments.root;
  report.results = tracks ? folder.masks().string() : arguments.results;
  report.protocol = protocol;

  Outcomes outcomes;
  if (tracks) {
    std::int64_t frames = 0;
    std::vector<eval::Sequence> sequences;
    for (const Case& one : cases) {
      frames += check_sequence(one.sequence, one.truth, protocol.late);
      sequences.push_back(one.sequence);
    }
    const Model model = arguments.model.load(console);
    if (arguments.jobs == 0)
      arguments.jobs =
          on_gpu(arguments) ? 1 : jobs_that_fit(cores(), model.image_size(), available_memory());
    share_threads(arguments, cases.size());
    report.run = run_of(arguments, model);
    folder.prepare(sequences);
    outcomes = track_cases(cases, frames, model, arguments, protocol, console);
  } else {
    if (arguments.jobs == 0) arguments.jobs = cores();
    outcomes = score_cases(cases, arguments, protocol, console);
    folder.prepare({});
  }
  for (std::optional<EvalSequence>& outcome : outcomes)
    if (outcome)
      report.sequences.push_back(std::move(*outcome));
    else
      report.complete = false;
  if (!report.complete)
    console.err << fmt::format("vostrack: interrupted after {} of {} sequences",
                               report.sequences.size(), cases.size())
                << std::endl;
  if (report.sequences.empty()) return kInterrupted;

  write_json(folder.file("report.json").string(), report_json(report));
  write_text(folder.file("report.csv"), report_csv(report));
  const auto pictures =
      draw_worst(cases, report, static_cast<std::size_t>(arguments.worst), folder.worst());
  write_text(folder.file("report.html"), report_page(report, pictures));
  console.out << table_text(report);
  if (report.run)
    console.out << fmt::format("{:.1f} frames per second\n", report.frames_per_second());
  console.out << "  " << folder.file("report.html").string() << '\n';
  return report.complete ? kSuccess : kInterrupted;
}

}  // namespace vostrack::cli
