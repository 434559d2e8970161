#include <map>
#include <memory>
#include <utility>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/eval_command.hpp"
#include "apps/vostrack/speed_arguments.hpp"
#include "apps/vostrack/usage.hpp"

namespace vostrack::cli {
namespace {

const std::vector<std::string> kProtocols = {"tracking", "clicks", "offline", "online"};
constexpr const char* kPictures = "pictures";  ///< a --dataset without sequences

template <class Value>
std::vector<std::string> names_of(const std::map<std::string, Value>& table) {
  std::vector<std::string> names;
  for (const auto& [name, value] : table) names.push_back(name);
  return names;
}

int evaluate(EvalArguments arguments, const Console& console) {
  const bool of_pictures = arguments.dataset == kPictures;
  if (arguments.protocol.empty()) arguments.protocol = of_pictures ? "clicks" : "tracking";
  if (of_pictures != (arguments.protocol == "clicks"))
    throw UsageError("--protocol clicks goes with --dataset pictures, the others with videos");
  if (arguments.protocol != "tracking" && !arguments.results.empty())
    throw UsageError("--results can be scored with --protocol tracking only");
  if (arguments.protocol != "tracking" && to_json(arguments.speed) != to_json(SpeedOptions()))
    throw UsageError("speed for accuracy can be measured with --protocol tracking only");
  if (of_pictures) return evaluate_pictures(arguments, console);
  if (!arguments.list.empty()) throw UsageError("--list goes with --dataset pictures");
  if (!arguments.split.empty() && !arguments.sequences.empty())
    throw UsageError("--split and --sequences both say which sequences; give one of them");
  if (arguments.protocol != "tracking") return evaluate_interactive(arguments, console);
  return evaluate_tracking(std::move(arguments), console);
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
  sub->add_option("--jobs", arguments->jobs,
                  "Sequences at a time; 0: as many as cores and free memory allow [default: 0]")
      ->type_name("N")
      ->check(CLI::Range(0, 256))
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
  add_speed_options(*sub, arguments->speed);
  arguments->model.add_to(*sub);
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return evaluate(*arguments, console); };
  });
}

}  // namespace vostrack::cli
