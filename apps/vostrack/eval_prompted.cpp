#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <iterator>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/eval_clicks.hpp"
#include "apps/vostrack/eval_command.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "base/check.hpp"
#include "eval/appearances.hpp"
#include "video/picture_io.hpp"

// The kinds of evaluation in which somebody clicks.

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kClicksOnPictures = 8;

}  // namespace

int evaluate_pictures(const EvalArguments& arguments, const Console& console) {
  const ReportFolder folder(arguments.out);
  folder.check_free(arguments.overwrite);
  const fs::path root(arguments.root);
  std::vector<std::string> names =
      arguments.list.empty() ? std::vector<std::string>() : eval::read_split(arguments.list);
  check(fs::is_directory(root / "images") && fs::is_directory(root / "masks"), ErrorCode::kNotFound,
        "{}: want folders images and masks in it", arguments.root);
  std::map<std::string, std::string> pictures;
  for (const fs::directory_entry& entry : fs::directory_iterator(root / "images"))
    if (video::is_picture_name(entry.path().string()))
      pictures[entry.path().stem().string()] = entry.path().string();
  if (names.empty())
    for (const auto& [name, path] : pictures) names.push_back(name);
  for (const std::string& name : names)
    check(pictures.count(name) != 0 && fs::exists(root / "masks" / (name + ".png")),
          ErrorCode::kNotFound, "{}: no picture {} with a mask", arguments.root, name);

  const Model model = arguments.model.load(console);
  ImageSegmenter segmenter(model);
  ClickReport report;
  report.root = arguments.root;
  report.run = run_of(arguments, model);
  report.smallest = arguments.smallest;
  folder.prepare({});
  Progress progress("Clicking", static_cast<std::int64_t>(names.size()), console.err,
                    arguments.quiet ? ProgressStyle::kNone : console.progress);
  for (const std::string& name : names) {
    if (interrupted()) {
      report.complete = false;
      break;
    }
    for (ClickedObject& object : click_through(
             segmenter, pictures.at(name), (root / "masks" / (name + ".png")).string(),
             kObjectRules.at(arguments.objects) == eval::ObjectRule::kMerged,
             arguments.clicks == 0 ? kClicksOnPictures : arguments.clicks, arguments.smallest))
      report.objects.push_back(std::move(object));
    ++report.pictures;
    progress.step();
  }
  progress.finish();
  report.seconds = progress.seconds();
  if (report.objects.empty() && !report.complete) return kInterrupted;
  check(!report.objects.empty(), ErrorCode::kNotFound,
        "{}: no object of at least {} of a picture. Where masks hold only 0 and 255, 255 means not "
        "known; --objects merged takes it as the object",
        arguments.root, arguments.smallest);
  write_json(folder.file("report.json").string(), report_json(report));
  write_text(folder.file("report.csv"), report_csv(report));
  console.out << table_text(report) << "  " << folder.file("report.json").string() << '\n';
  return report.complete ? kSuccess : kInterrupted;
}

int evaluate_interactive(const EvalArguments& arguments, const Console& console) {
  const ReportFolder folder(arguments.out);
  folder.check_free(arguments.overwrite);
  const std::vector<Case> cases = open_cases(arguments, folder.masks());
  InteractiveRule rule;
  rule.online = arguments.protocol == "online";
  rule.rounds = arguments.rounds;
  if (arguments.clicks > 0) rule.clicks = arguments.clicks;
  rule.boundary_tolerance = arguments.tolerance;
  std::int64_t total = 0;
  for (const Case& one : cases)
    total += std::ssize(eval::appearances(one.truth, protocol_of(arguments).late));

  const Model model = arguments.model.load(console);
  folder.prepare({});
  Progress progress("Correcting", total, console.err,
                    arguments.quiet ? ProgressStyle::kNone : console.progress);
  std::vector<InteractiveObject> objects;
  for (const Case& one : cases)
    for (const eval::Appearance& first :
         eval::appearances(one.truth, protocol_of(arguments).late)) {
      InteractiveObject object =
          interact(model, one.sequence, one.truth, first, rule, [] { return !interrupted(); });
      if (object.jf.empty()) break;
      objects.push_back(std::move(object));
      progress.step();
    }
  progress.finish();
  if (objects.empty()) return kInterrupted;
  const bool complete = std::ssize(objects) == total;
  Json json = interactive_json(objects, rule);
  json["dataset"] = arguments.dataset;
  json["root"] = arguments.root;
  json["model"] = model.path();
  json["complete"] = complete;
  write_json(folder.file("report.json").string(), json);
  write_text(folder.file("report.csv"), interactive_csv(objects));
  console.out << interactive_table(objects) << "  " << folder.file("report.json").string() << '\n';
  return complete ? kSuccess : kInterrupted;
}

}  // namespace vostrack::cli
