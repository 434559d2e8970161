/// Tracks a camera or network stream until it ends, is interrupted, or has lasted long enough.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/object_files.hpp"
#include "apps/vostrack/output_folder.hpp"
#include "apps/vostrack/prompts.hpp"
#include "apps/vostrack/result_choice.hpp"
#include "apps/vostrack/track_video.hpp"
#include "vostrack/live.hpp"
#include "vostrack/stream.hpp"

namespace vostrack::cli {

struct LiveSettings {
  LiveOptions video;
  StreamConfig stream;
  ResultChoice results;
  std::vector<ObjectFile> objects;   ///< to start from: they are looked for from the first frame on
  std::vector<ObjectFile> exports;   ///< to write afterwards
  std::optional<double> duration_s;  ///< from the first frame that arrives
  bool overwrite = false;
  bool quiet = false;
};

/// A prompt takes effect on the first frame that is tracked at or after its number or time, since
/// the frame itself may have been dropped; frames before the first prompt are let go. Results have
/// the numbers of the frames as they arrived, and are written as they come. Memory does not grow.
///
/// An interrupt is a usual end. After an error, too, the files are completed.
///
/// @throws Error whatever the stream, the prompts, the model or the disk is guilty of
void track_live(const std::string& address, const OutputFolder& folder,
                const PromptArguments& prompts, const LiveSettings& settings, ModelOnDemand& model,
                const Console& console);

}  // namespace vostrack::cli
