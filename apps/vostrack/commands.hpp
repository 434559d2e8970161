/// The subcommands. Each adds itself to the command line and runs when it was chosen.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <string>

#include "apps/vostrack/progress.hpp"
#include "vostrack/model.hpp"

namespace vostrack::cli {

/// Where a subcommand's words go.
struct Console {
  std::ostream& out;
  std::ostream& err;
  ProgressStyle progress = ProgressStyle::kLines;
};

/// A subcommand's work, and the exit status that it ends with.
using Command = std::function<int(const Console&)>;

/// Adds the subcommand to `app` and sets `command` to it when it was chosen.
void add_track(CLI::App& app, Command& command);
void add_segment(CLI::App& app, Command& command);
void add_eval(CLI::App& app, Command& command);
void add_convert(CLI::App& app, Command& command);
void add_info(CLI::App& app, Command& command);
void add_pack(CLI::App& app, Command& command);
void add_probe(CLI::App& app, Command& command);
void add_frames(CLI::App& app, Command& command);
void add_train(CLI::App& app, Command& command);
void add_bench(CLI::App& app, Command& command);

/// Which model, and where it runs.
struct ModelArguments {
  std::string path;
  std::string config;
  std::string device = ModelOptions().device;
  std::string precision = "float32";
  int threads = 0;
  int size = ModelOptions().image_size;

  /// Adds --model, --config, --device, --precision, --threads and --size.
  void add_to(CLI::App& app);
  /// Says so where the model does not compute in the precision that was asked for.
  ///
  /// @throws Error as Model::load
  Model load(const Console& console) const;
};

/// As --precision has it.
const char* precision_name(Precision precision) noexcept;

/// That `asked` is computed in `used`.
void say_precision(const Console& console, const std::string& asked, const std::string& used);

}  // namespace vostrack::cli
