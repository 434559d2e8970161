#include "apps/vostrack/train_validation.hpp"

#include <filesystem>

#include "apps/vostrack/eval_track.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "eval/score.hpp"

namespace vostrack::cli {
namespace {

/// A folder that is gone afterwards.
class Scratch {
 public:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {
    std::filesystem::remove_all(path_);
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::optional<double> validation_score(const std::string& weights,
                                       const ValidationArguments& arguments) {
  ModelOptions options;
  options.device = arguments.device;
  const Model model = Model::load(weights, options);
  const Scratch scratch(weights + ".masks");
  const eval::Protocol protocol;
  std::vector<eval::SequenceScore> scores;
  for (const eval::Sequence& sequence : eval::find_sequences(
           eval::Dataset::kDavis, arguments.root, arguments.resolution, arguments.sequences)) {
    const eval::MaskSequence truth(sequence.annotations, eval::ObjectRule::kAuto);
    const std::string folder = (scratch.path() / sequence.name).string();
    const auto tracked = track_sequence(model, sequence, truth, protocol.late,
                                        SimulatedPrompt::kMask, {}, folder, [] {});
    if (!tracked.complete || interrupted()) return std::nullopt;
    scores.push_back(eval::score_sequence(sequence.name, truth,
                                          eval::MaskSequence(folder, truth.rule()), protocol));
  }
  return eval::total_score(scores).jf();
}

}  // namespace vostrack::cli
