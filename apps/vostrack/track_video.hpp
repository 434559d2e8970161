/// Tracks one video, from opening it to its summary.
///
///   ModelOnDemand model(arguments, console);
///   TrackOutcome outcome = track_video({"clip.mp4", OutputFolder("out"), prompts}, settings,
///   model,
///                                      console);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/object_files.hpp"
#include "apps/vostrack/output_folder.hpp"
#include "apps/vostrack/prompts.hpp"
#include "apps/vostrack/result_choice.hpp"
#include "apps/vostrack/track_range.hpp"
#include "vostrack/model.hpp"
#include "vostrack/session.hpp"

namespace vostrack::cli {

/// What is the same for all videos of a command.
struct TrackSettings {
  ResultChoice results;
  std::vector<ObjectFile> objects;  ///< to start from
  std::vector<ObjectFile> exports;  ///< to write afterwards
  std::string session_path;         ///< of the session that is kept; empty for none
  bool resume = false;
  RangeArguments range;
  SessionConfig session;
  bool overwrite = false;
  bool quiet = false;
};

struct TrackJob {
  std::string clip;
  OutputFolder folder;
  PromptArguments prompts;
  std::string title = "Tracking";  ///< of the progress bar
};

/// Loads the model when it is first needed.
class ModelOnDemand {
 public:
  ModelOnDemand(const ModelArguments& arguments, const Console& console)
      : arguments_(arguments), console_(console) {}
  /// @throws Error as Model::load
  const Model& get() {
    if (!model_) model_ = arguments_.load(console_);
    return *model_;
  }
  const ModelArguments& arguments() const noexcept { return arguments_; }

 private:
  ModelArguments arguments_;
  Console console_;
  std::optional<Model> model_;
};

struct TrackOutcome {
  bool complete = false;
  std::int64_t frames = 0;  ///< written
  std::int64_t wanted = 0;
};

/// Everything that can be wrong with the job is found out before its folder is touched. After an
/// interrupt, and when a frame cannot be read, the results so far are completed.
///
/// With `resume`, a job that is complete is left as it is; one that was interrupted goes on from
/// its saved session, with the results of a run that never was; any other starts anew.
///
/// @throws Error whatever the video, the prompts, the model or the disk is guilty of
TrackOutcome track_video(const TrackJob& job, const TrackSettings& settings, ModelOnDemand& model,
                         const Console& console);

}  // namespace vostrack::cli
