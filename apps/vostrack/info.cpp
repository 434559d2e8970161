#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/json_file.hpp"

namespace vostrack::cli {
namespace {

struct InfoArguments {
  std::string path;
  std::string config;
  bool json = false;
};

/// 5,612,345 reads better than 5612345.
std::string grouped(std::int64_t number) {
  const std::string digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

int info(const InfoArguments& arguments, const Console& console) {
  ModelOptions options;
  options.config = arguments.config;
  const Model model =
      arguments.path.empty() ? Model::load_default(options) : Model::load(arguments.path, options);
  const auto bytes = static_cast<std::int64_t>(std::filesystem::file_size(model.path()));
  const Json config = Json::parse(model.config_json());
  std::int64_t total = 0;
  for (const ModelPart& part : model.parts()) total += part.parameters;

  if (arguments.json) {
    Json json = {{"path", model.path()}, {"name", model.name()}, {"image_size", model.image_size()},
                 {"file_bytes", bytes},  {"parameters", total},  {"parts", Json::object()},
                 {"config", config}};
    for (const ModelPart& part : model.parts()) json["parts"][part.name] = part.parameters;
    console.out << json_text(json);
    return kSuccess;
  }
  std::size_t width = 10;
  for (const ModelPart& part : model.parts()) width = std::max(width, part.name.size());
  console.out << fmt::format("{}: {}, {:.1f} MB, input {}x{}\n\n", model.path(), model.name(),
                             static_cast<double>(bytes) / 1e6, model.image_size(),
                             model.image_size());
  for (const ModelPart& part : model.parts())
    console.out << fmt::format("{:<{}}  {:>13}\n", part.name, width, grouped(part.parameters));
  console.out << fmt::format("{:<{}}  {:>13}\n\n{}\n", "parameters", width, grouped(total),
                             config.dump(2));
  return kSuccess;
}

}  // namespace

void add_info(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* sub = app.add_subcommand("info", "Prints a model's parts and configuration.");
  sub->footer("  vostrack info sam2.1_hiera_tiny.pt");
  sub->add_option("model", arguments->path,
                  "Checkpoint, .pt or .safetensors [default: the small model that ships with it]");
  sub->add_option("--config", arguments->config,
                  "Preset such as sam2.1_hiera_t, or JSON file [default: found in the checkpoint]")
      ->type_name("NAME|FILE");
  sub->add_flag("--json", arguments->json, "Print JSON");
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return info(*arguments, console); };
  });
}

}  // namespace vostrack::cli
