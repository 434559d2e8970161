#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <span>
#include <thread>
#include <utility>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/eval_command.hpp"
#include "apps/vostrack/eval_page.hpp"
#include "apps/vostrack/eval_report.hpp"
#include "apps/vostrack/eval_track.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/overlay.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/atomic_file.hpp"
#include "base/check.hpp"
#include "video/picture_io.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, SimulatedPrompt> kPrompts = {{"mask", SimulatedPrompt::kMask},
                                                         {"box", SimulatedPrompt::kBox},
                                                         {"point", SimulatedPrompt::kPoint},
                                                         {"points3", SimulatedPrompt::kPoints3}};
constexpr int kPictureWidth = 480;
const std::vector<std::string> kProtocols = {"tracking", "clicks", "offline", "online"};
constexpr const char* kPictures = "pictures";  ///< a --dataset without sequences

template <class Value>
std::vector<std::string> names_of(const std::map<std::string, Value>& table) {
  std::vector<std::string> names;
  for (const auto& [name, value] : table) names.push_back(name);
  return names;
}

/// Calls `work(i)` for 0 ≤ i < count on some threads. The first exception stops the rest and is
/// thrown again here.
void in_parallel(std::size_t count, int jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto loop = [&] {
    while (!interrupted()) {
      const std::size_t i = next++;
      if (i >= count) return;
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int k = 1; k < jobs && static_cast<std::size_t>(k) < count; ++k)
      threads.emplace_back(loop);
    loop();
  }
  if (failure) std::rethrow_exception(failure);
}

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
                       one.results, [&] { progress.step(); });
    if (!tracked.complete) return;
    const eval::MaskSequence results(one.results, one.truth.rule());
    EvalSequence scored;
    scored.score = eval::score_sequence(one.sequence.name, one.truth, results, protocol);
    scored.tracked_frames = tracked.frames;
    scored.seconds = tracked.seconds;
    outcomes[i] = std::move(scored);
  });
  progress.finish();
  return outcomes;
}

/// The frame's picture, or black where the dataset has come without pictures.
Image picture_of(const Case& one, const WorstFrame& frame, const Mask& mask) {
  for (const char* suffix : {".jpg", ".jpeg", ".png"}) {
    const fs::path path = fs::path(one.sequence.pictures) / (frame.frame + suffix);
    if (!fs::exists(path)) continue;
    Image image = video::read_picture(path.string());
    if (image.height == mask.height && image.width == mask.width) return image;
  }
  return {mask.height, mask.width, std::vector<std::uint8_t>(3 * mask.data.size(), 0)};
}

std::vector<WorstPicture> draw_worst(const std::vector<Case>& cases, const EvalReport& report,
                                     std::size_t count, const fs::path& folder) {
  std::vector<WorstPicture> pictures;
  if (count > 0) fs::create_directories(folder);
  for (const WorstFrame& frame : worst_frames(report, count)) {
    const Case& one = *std::find_if(cases.begin(), cases.end(), [&](const Case& candidate) {
      return candidate.sequence.name == frame.sequence;
    });
    const eval::FrameMasks masks = one.truth.read(frame.frame);
    const Mask truth = masks.mask(frame.object);
    Mask predicted =
        eval::MaskSequence(one.results, one.truth.rule()).read(frame.frame).mask(frame.object);
    for (std::size_t i = 0; i < masks.ignored.data.size(); ++i)
      if (masks.ignored.data[i]) predicted.data[i] = 0;
    Image image = picture_of(one, frame, truth);
    draw_errors(image, predicted, truth);
    const std::string path =
        (folder / fmt::format("{}_{}_{}.jpg", frame.sequence, frame.frame, frame.object)).string();
    video::write_picture(path, titled_thumbnail(image, std::min(kPictureWidth, image.width),
                                                frame.sequence + " " + frame.frame));
    std::ifstream file(path, std::ios::binary);
    pictures.push_back({frame, {std::istreambuf_iterator<char>(file), {}}});
  }
  return pictures;
}

/// As many threads for each sequence as leave none waiting for a core.
void share_threads(ModelArguments& model, int jobs) {
  if (model.threads == 0 && jobs > 1)
    model.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / jobs);
}

int evaluate(EvalArguments arguments, const Console& console) {
  const bool of_pictures = arguments.dataset == kPictures;
  if (arguments.protocol.empty()) arguments.protocol = of_pictures ? "clicks" : "tracking";
  if (of_pictures != (arguments.protocol == "clicks"))
    throw UsageError("--protocol clicks goes with --dataset pictures, the others with videos");
  if (arguments.protocol != "tracking" && !arguments.results.empty())
    throw UsageError("--results can be scored with --protocol tracking only");
  if (of_pictures) return evaluate_pictures(arguments, console);
  if (!arguments.list.empty()) throw UsageError("--list goes with --dataset pictures");
  if (!arguments.split.empty() && !arguments.sequences.empty())
    throw UsageError("--split and --sequences both say which sequences; give one of them");
  if (arguments.protocol != "tracking") return evaluate_interactive(arguments, console);
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
    share_threads(arguments.model, arguments.jobs);
    const Model model = arguments.model.load();
    report.run = run_of(arguments, model);
    folder.prepare(sequences);
    outcomes = track_cases(cases, frames, model, arguments, protocol, console);
  } else {
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

}  // namespace

void add_eval(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<EvalArguments>();
  CLI::App* sub = app.add_subcommand("eval", "Scores tracking against annotated sequences.");
  sub->footer(
      "  vostrack eval --root DAVIS --sequences bear,dog --prompt mask --out report/\n"
      "  vostrack eval --root DAVIS --split val.txt --results masks/ --out report/\n"
      "  vostrack eval --dataset pictures --root train/ --list models/held_back_pictures.txt \\\n"
      "      --out report/\n"
      "\n"
      "J is the overlap with the annotation, F the agreement of the contours, recall the share of\n"
      "frames above 50, decay the loss from the first quarter to the last. The frame on which an\n"
      "object is marked and the last one are not scored.");
  const char* data = "Data";
  std::vector<std::string> datasets = names_of(kDatasets);
  datasets.emplace_back(kPictures);
  sub->add_option("--dataset", arguments->dataset,
                  "Layout and protocol: davis (objects of the first frame), youtube-vos (MOSE "
                  "too), sav (objects first seen later are marked there), or pictures "
                  "(images/NAME.jpg, masks/NAME.png; clicked, not tracked)")
      ->type_name("NAME")
      ->check(CLI::IsMember(datasets))
      ->capture_default_str()
      ->group(data);
  sub->add_option("--root", arguments->root, "The dataset's folder")
      ->type_name("DIR")
      ->required()
      ->group(data);
  sub->add_option("--resolution", arguments->resolution,
                  "Folder within JPEGImages and Annotations; davis only")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(data);
  sub->add_option("--split", arguments->split, "List of sequences, a name a line")
      ->type_name("FILE")
      ->group(data);
  sub->add_option("--sequences", arguments->sequences, "Sequences [default: all]")
      ->type_name("A,B")
      ->delimiter(',')
      ->group(data);
  sub->add_option("--list", arguments->list, "List of pictures, a name a line [default: all]")
      ->type_name("FILE")
      ->group(data);
  sub->add_option("--objects", arguments->objects,
                  "separate: a label an object, 255 not scored; merged: all labels are one object; "
                  "auto: merged where there is no label but 255")
      ->type_name("RULE")
      ->check(CLI::IsMember(names_of(kObjectRules)))
      ->capture_default_str()
      ->group(data);
  const char* tracking = "Tracking";
  sub->add_option(
         "--prompt", arguments->prompt,
         "Made from the annotation: mask, box (tight), point (the mask's innermost "
         "pixel) or points3 (two more, as far from the outside and earlier ones as can be)")
      ->type_name("KIND")
      ->check(CLI::IsMember(names_of(kPrompts)))
      ->capture_default_str()
      ->group(tracking);
  sub->add_option("--results", arguments->results,
                  "Scores masks that are there, DIR/SEQUENCE/FRAME.png, and tracks nothing")
      ->type_name("DIR")
      ->group(tracking);
  sub->add_option("--jobs", arguments->jobs, "Sequences at a time; each needs memory of its own")
      ->type_name("N")
      ->check(CLI::Range(1, 256))
      ->capture_default_str()
      ->group(tracking);
  const char* clicking = "Clicking";
  sub->add_option("--protocol", arguments->protocol,
                  "tracking; clicks (on pictures); offline (each round corrects the worst frame "
                  "and tracks again) or online (one pass that stops at frames below 75 to correct "
                  "them) [default: clicks for pictures, else tracking]")
      ->type_name("NAME")
      ->check(CLI::IsMember(kProtocols))
      ->group(clicking);
  sub->add_option("--clicks", arguments->clicks,
                  "On each object of a picture [default: 8], or on each corrected frame "
                  "[default: 3]")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->group(clicking);
  sub->add_option("--rounds", arguments->rounds, "Frames that are clicked on, the first included")
      ->type_name("N")
      ->check(CLI::Range(1, 100))
      ->capture_default_str()
      ->group(clicking);
  sub->add_option("--smallest", arguments->smallest,
                  "Objects with a smaller share of the picture are not clicked on")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(clicking);
  const char* scoring = "Scoring";
  sub->add_flag("--score-first", arguments->score_first, "Score the marked frame too")
      ->group(scoring);
  sub->add_flag("--score-last", arguments->score_last, "Score the last frame too")->group(scoring);
  sub->add_option("--tolerance", arguments->tolerance,
                  "Share of the diagonal by which a contour may be off")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 0.1))
      ->capture_default_str()
      ->group(scoring);
  const char* results = "Report";
  sub->add_option("--out", arguments->out,
                  "Folder for report.html, report.json, report.csv and the tracked masks/")
      ->type_name("DIR")
      ->required()
      ->group(results);
  sub->add_flag("--overwrite", arguments->overwrite, "Replace an earlier report")->group(results);
  sub->add_option("--worst", arguments->worst, "Pictures of worst frames, one a sequence at most")
      ->type_name("N")
      ->check(CLI::Range(0, 200))
      ->capture_default_str()
      ->group(results);
  sub->add_flag("--quiet", arguments->quiet, "Show no progress")->group(results);
  arguments->model.add_to(*sub);
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return evaluate(*arguments, console); };
  });
}

}  // namespace vostrack::cli
