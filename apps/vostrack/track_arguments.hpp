/// What `vostrack track` is told.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/prompts.hpp"
#include "apps/vostrack/result_choice.hpp"
#include "vostrack/speed.hpp"

namespace vostrack::cli {

struct LiveArguments {
  bool live = false;
  std::string queue = "latest";
  double duration_s = 0;  ///< 0: no end
  bool no_reconnect = false;
};

struct TrackArguments {
  std::vector<std::string> clips;
  PromptTexts prompts;
  std::string prompts_file;
  std::string out;
  ResultChoice results;
  bool overwrite = false;
  bool quiet = false;
  std::string start;
  std::string end;
  bool both = false;
  std::vector<std::string> objects;
  std::vector<std::string> exports;
  std::string session_path;
  bool resume = false;
  std::uint64_t max_memory = 0;  ///< bytes; 0: the session's own
  LiveArguments live;
  SpeedOptions speed;
  ModelArguments model;
  bool memories_on_cpu = false;

  /// Adds the clips and all options.
  void add_to(CLI::App& app);
};

}  // namespace vostrack::cli
