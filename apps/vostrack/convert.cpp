#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"

namespace vostrack::cli {
namespace {

struct ConvertArguments {
  std::string from;
  std::string to;
  std::string config;
  bool half = false;
  bool overwrite = false;
};

int convert(const ConvertArguments& arguments, const Console& console) {
  if (std::filesystem::path(arguments.to).extension() != ".safetensors")
    throw UsageError(fmt::format("'{}': want a name that ends in .safetensors", arguments.to));
  check(arguments.overwrite || !std::filesystem::exists(arguments.to), ErrorCode::kInvalidArgument,
        "{}: exists already; --overwrite replaces it", arguments.to);
  convert_checkpoint(arguments.from, arguments.to, arguments.half, arguments.config);
  console.out << fmt::format("{}: {:.1f} MB\n", arguments.to,
                             static_cast<double>(std::filesystem::file_size(arguments.to)) / 1e6);
  return kSuccess;
}

}  // namespace

void add_convert(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<ConvertArguments>();
  CLI::App* sub = app.add_subcommand(
      "convert", "Writes a checkpoint as safetensors, with its configuration inside.");
  sub->footer("  vostrack convert sam2.1_hiera_tiny.pt tiny.safetensors --half");
  sub->add_option("from", arguments->from, "Checkpoint to read, .pt or .safetensors")->required();
  sub->add_option("to", arguments->to, "File to write, .safetensors")->required();
  sub->add_option("--config", arguments->config,
                  "Preset such as sam2.1_hiera_t, or JSON file [default: found in the checkpoint]")
      ->type_name("NAME|FILE");
  sub->add_flag("--half", arguments->half, "Store float16: half the size");
  sub->add_flag("--overwrite", arguments->overwrite, "Replace the file if it exists");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return convert(*arguments, console); };
  });
}

}  // namespace vostrack::cli
