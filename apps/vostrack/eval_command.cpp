#include "apps/vostrack/eval_command.hpp"

#include <cstdint>
#include <span>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/check.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

/// Other files stay.
void remove_from(const fs::path& folder, const char* suffix) {
  if (!fs::is_directory(folder)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == suffix) fs::remove(entry.path());
}

}  // namespace

void ReportFolder::check_free(bool overwrite) const {
  check(!std::filesystem::exists(root_) || std::filesystem::is_directory(root_),
        ErrorCode::kInvalidArgument, "{}: is a file, want a folder for the report", root_.string());
  if (overwrite) return;
  for (const std::filesystem::path& path : {masks(), file("report.json")})
    check(!std::filesystem::exists(path), ErrorCode::kInvalidArgument,
          "{}: an earlier report is there; give another --out, or --overwrite to replace it",
          path.string());
}

void ReportFolder::prepare(const std::vector<eval::Sequence>& tracked) const {
  try {
    std::filesystem::create_directories(root_);
    for (const char* name : {"report.json", "report.csv", "report.html"})
      std::filesystem::remove(file(name));
    for (const eval::Sequence& sequence : tracked) remove_from(masks() / sequence.name, ".png");
    remove_from(worst(), ".jpg");
  } catch (const std::filesystem::filesystem_error& error) {
    fail(ErrorCode::kIo, "{}: {}", root_.string(), error.code().message());
  }
}

void write_text(const fs::path& path, const std::string& text) {
  write_file_atomically(path.string(),
                        std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

std::vector<Case> open_cases(const EvalArguments& arguments, const fs::path& results) {
  const std::vector<std::string> names =
      arguments.split.empty() ? arguments.sequences : eval::read_split(arguments.split);
  std::vector<Case> cases;
  for (eval::Sequence& sequence : eval::find_sequences(
           kDatasets.at(arguments.dataset), arguments.root, arguments.resolution, names)) {
    eval::MaskSequence truth(sequence.annotations, kObjectRules.at(arguments.objects));
    std::string folder = (results / sequence.name).string();
    // What `vostrack track` writes.
    if (!arguments.results.empty() && fs::is_directory(folder + "/masks")) folder += "/masks";
    cases.push_back({std::move(sequence), std::move(truth), std::move(folder)});
  }
  return cases;
}

eval::Protocol protocol_of(const EvalArguments& arguments) {
  eval::Protocol protocol;
  protocol.score_first = arguments.score_first;
  protocol.score_last = arguments.score_last;
  protocol.late = arguments.dataset == "davis" ? eval::LateObjects::kIgnored
                                               : eval::LateObjects::kPromptedWhenSeen;
  protocol.boundary_tolerance = arguments.tolerance;
  return protocol;
}

EvalRun run_of(const EvalArguments& arguments, const Model& model) {
  return {model.path(),
          model.name(),
          model.image_size(),
          arguments.model.device,
          precision_name(model.options().precision),
          arguments.prompt,
          arguments.speed};
}

}  // namespace vostrack::cli
