/// What the kinds of `vostrack eval` share: its arguments, and the folder of its report.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/eval_interactive.hpp"
#include "apps/vostrack/eval_report.hpp"
#include "apps/vostrack/eval_track.hpp"
#include "eval/dataset.hpp"
#include "eval/mask_sequence.hpp"
#include "eval/score.hpp"
#include "vostrack/model.hpp"
#include "vostrack/speed.hpp"

namespace vostrack::cli {

inline const std::map<std::string, eval::Dataset> kDatasets = {
    {"davis", eval::Dataset::kDavis},
    {"youtube-vos", eval::Dataset::kYouTubeVos},
    {"sav", eval::Dataset::kSav}};
inline const std::map<std::string, eval::ObjectRule> kObjectRules = {
    {"auto", eval::ObjectRule::kAuto},
    {"separate", eval::ObjectRule::kSeparate},
    {"merged", eval::ObjectRule::kMerged}};
inline const std::map<std::string, SimulatedPrompt> kPrompts = {
    {"mask", SimulatedPrompt::kMask},
    {"box", SimulatedPrompt::kBox},
    {"point", SimulatedPrompt::kPoint},
    {"points3", SimulatedPrompt::kPoints3}};

struct EvalArguments {
  std::string dataset = "davis";
  std::string root;
  std::string resolution = "480p";
  std::string split;
  std::vector<std::string> sequences;
  std::string objects = "auto";
  std::string prompt = "mask";
  std::string results;
  std::string list;
  std::string protocol;
  int clicks = 0;
  int rounds = InteractiveRule().rounds;
  double smallest = 0.01;
  bool score_first = false;
  bool score_last = false;
  double tolerance = eval::kBoundaryTolerance;
  std::string out;
  bool overwrite = false;
  int worst = 12;
  int jobs = 0;  ///< 0: as many as memory holds
  bool quiet = false;
  SpeedOptions speed;
  ModelArguments model;
};

/// The folder of a report.
class ReportFolder {
 public:
  explicit ReportFolder(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path masks() const { return root_ / "masks"; }
  std::filesystem::path worst() const { return root_ / "worst"; }
  std::filesystem::path file(const char* name) const { return root_ / name; }

  /// @throws Error kInvalidArgument when there is a report that may not be replaced, or a file
  void check_free(bool overwrite) const;
  /// Takes an earlier report away, and masks of these sequences if new ones will be made. Other
  /// files stay.
  ///
  /// @throws Error kIo
  void prepare(const std::vector<eval::Sequence>& tracked) const;

 private:
  std::filesystem::path root_;
};

/// A sequence with its annotation, and where its results lie or will lie.
struct Case {
  eval::Sequence sequence;
  eval::MaskSequence truth;
  std::string results;
};

void write_text(const std::filesystem::path& path, const std::string& text);

/// The sequences that the arguments name.
///
/// @param results  folder of their results
std::vector<Case> open_cases(const EvalArguments& arguments, const std::filesystem::path& results);

eval::Protocol protocol_of(const EvalArguments& arguments);

EvalRun run_of(const EvalArguments& arguments, const Model& model);

/// Tracks the sequences and scores that, or scores results that are there.
///
/// @return the exit status
int evaluate_tracking(EvalArguments arguments, const Console& console);

/// Clicks through single pictures instead of tracking.
///
/// @return the exit status
int evaluate_pictures(const EvalArguments& arguments, const Console& console);

/// Corrects each object of the sequences in several rounds.
///
/// @return the exit status
int evaluate_interactive(const EvalArguments& arguments, const Console& console);

}  // namespace vostrack::cli
