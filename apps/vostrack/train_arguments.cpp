#include "apps/vostrack/train_arguments.hpp"

#include <fmt/format.h>

#include <utility>

#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/mapped_file.hpp"

namespace vostrack::cli {
namespace {

/// Puts `value` at a dotted name; JSON where it is JSON, else a string.
void set_value(Json& settings, const std::string& name, const std::string& value) {
  std::string pointer = "/" + name;
  for (char& c : pointer)
    if (c == '.') c = '/';
  Json parsed = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  settings[Json::json_pointer(pointer)] = parsed.is_discarded() ? Json(value) : std::move(parsed);
}

std::string file_text(const std::string& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A paragraph for each section: "  loss: dice_weight 1.0, focal_alpha 0.25, …".
std::string settings_text(const Json& settings, const std::string& section = {}) {
  constexpr std::size_t kWidth = 98;
  std::string text, line = section.empty() ? "" : section + ":", sections;
  for (const auto& [name, value] : settings.items()) {
    if (value.is_object() && name != "source_weights") {
      sections += settings_text(value, section.empty() ? name : section + "." + name);
      continue;
    }
    const std::string item = " " + name + " " + value.dump() + ",";
    if (line.size() + item.size() > kWidth) {
      text += "  " + line + "\n";
      line = "   ";
    }
    line += item;
  }
  line.pop_back();
  return text + "  " + line + "\n" + sections;
}

}  // namespace

train::TrainingRun TrainArguments::run() const {
  train::TrainingRun run;
  if (!config.empty()) run = train::TrainingRun::from_json(file_text(config));
  const auto replace = [](auto& member, const auto& given) {
    if (!given.empty()) member = given;
  };
  replace(run.model, model);
  replace(run.weights, weights);
  replace(run.packs, packs);
  replace(run.folder, out);
  replace(run.device, device);
  if (frames) run.frames = *frames;
  if (pictures_share) run.pictures_share = *pictures_share;
  run.trial |= trial;
  run.resume |= resume;
  Json settings = Json::parse(run.settings);
  for (const std::string& pair : set) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--set {}: want NAME=VALUE", pair));
    set_value(settings, pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (steps) settings["steps"] = *steps;
  if (size) settings["image_size"] = *size;
  if (batch) settings["batch_clips"] = *batch;
  run.settings = settings.dump();
  return run;
}

void TrainArguments::add_to(CLI::App& command) {
  command.footer([] {
    return "  vostrack train --weights models/nano.safetensors --packs clips.pack --out run1 "
           "--plan\n"
           "\n"
           "--out gets last.safetensors (to go on from), best.safetensors, final.safetensors,\n"
           "metrics.csv, an event file for TensorBoard and pictures/ (green: right, red: taken "
           "too\n"
           "much, blue: missed). Interrupting stops after the step that is being taken.\n"
           "\n"
           "Settings for --set, or for `settings` in --config, with their defaults:\n" +
           settings_text(Json::parse(train::default_settings()));
  });
  command
      .add_option("--config", config,
                  "JSON file with the run: the options below by name, and `settings`")
      ->type_name("FILE");
  command.add_flag("--plan", plan,
                   "Only print what would be trained, the memory and time of a step");
  command.add_flag("--resume", resume, "Go on with the run in --out");
  command.add_option("--log-every", log_every, "A line so many steps, with means over them")
      ->type_name("STEPS")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command.add_flag("--quiet", quiet, "Show no progress");
  const char* networks = "Model";
  command
      .add_option("--weights", weights,
                  "Checkpoint to start from, of the whole model or of parts [default: none]")
      ->type_name("FILE")
      ->group(networks);
  command
      .add_option("--model", model,
                  "Preset such as sam2.1_hiera_t, or JSON file [default: found in the checkpoint]")
      ->type_name("NAME|FILE")
      ->group(networks);
  command
      .add_option("--device", device,
                  "cpu, cuda or cuda:N; with cuda, processes of a launcher take a GPU each "
                  "[default: cpu]")
      ->type_name("DEVICE")
      ->group(networks);
  command.add_option("--threads", threads, "Threads inside the networks [default: one per core]")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->group(networks);
  const char* data = "Data";
  command.add_option("--packs", packs, "Packs, as vostrack pack writes them")
      ->type_name("FILE")
      ->group(data);
  command.add_flag("--trial", trial, "Moving squares instead of packs, to try the rest")
      ->group(data);
  command.add_option("--frames", frames, "Frames of a clip [default: 4]")
      ->type_name("N")
      ->check(CLI::Range(1, 64))
      ->group(data);
  command
      .add_option("--pictures-share", pictures_share,
                  "Share of examples that are single pictures with many prompts [default: 0.2]")
      ->type_name("SHARE")
      ->check(CLI::Range(0.0, 1.0))
      ->group(data);
  const char* training = "Training";
  command.add_option("--steps", steps, "Steps in all")->type_name("N")->group(training);
  command.add_option("--batch", batch, "Clips of a step")->type_name("N")->group(training);
  command
      .add_option("--size", size,
                  "Side of the networks' input in pixels [default: the model's own]")
      ->type_name("PIXELS")
      ->group(training);
  command
      .add_option("--set", set,
                  "Any other setting, such as optimizer.learning_rate=1e-4; again for more")
      ->type_name("NAME=VALUE")
      ->group(training);
  const char* results = "Results";
  command.add_option("--out", out, "Folder for checkpoints and weights")
      ->type_name("DIR")
      ->group(results);
#ifdef VOSTRACK_WITH_VIDEO
  command
      .add_option(
          "--validate", validation.root,
          "Dataset laid out as DAVIS to score on at the end, and every `validate_every` steps")
      ->type_name("DIR")
      ->group(results);
  command
      .add_option("--validate-resolution", validation.resolution,
                  "Folder within JPEGImages and Annotations")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(results);
  command
      .add_option("--validate-sequences", validation.sequences,
                  "Sequences to score on [default: all]")
      ->type_name("NAME")
      ->group(results);
#endif
}

}  // namespace vostrack::cli
