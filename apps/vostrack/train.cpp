#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/json_file.hpp"
#include "apps/vostrack/train_validation.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"
#include "base/mapped_file.hpp"
#include "train/training_run.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

struct TrainArguments {
  std::string config;
  std::string model, weights, out, device;
  std::vector<std::string> packs;
  std::vector<std::string> set;
  std::optional<int> frames;
  std::optional<std::int64_t> steps;
  std::optional<int> size, batch;
  bool trial = false;
  bool resume = false;
  bool plan = false;
  bool quiet = false;
  int threads = 0;
  ValidationArguments validation;
};

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

/// The file's run with what the command line says in its place.
train::TrainingRun run_of(const TrainArguments& arguments) {
  train::TrainingRun run;
  if (!arguments.config.empty()) run = train::TrainingRun::from_json(file_text(arguments.config));
  const auto replace = [](auto& member, const auto& given) {
    if (!given.empty()) member = given;
  };
  replace(run.model, arguments.model);
  replace(run.weights, arguments.weights);
  replace(run.packs, arguments.packs);
  replace(run.folder, arguments.out);
  replace(run.device, arguments.device);
  if (arguments.frames) run.frames = *arguments.frames;
  run.trial |= arguments.trial;
  run.resume |= arguments.resume;
  Json settings = Json::parse(run.settings);
  for (const std::string& pair : arguments.set) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--set {}: want NAME=VALUE", pair));
    set_value(settings, pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (arguments.steps) settings["steps"] = *arguments.steps;
  if (arguments.size) settings["image_size"] = *arguments.size;
  if (arguments.batch) settings["batch_clips"] = *arguments.batch;
  run.settings = settings.dump();
  return run;
}

int show_plan(const train::TrainingRun& run, const Console& console) {
  const train::TrainingPlan plan = train::plan_training(run);
  console.out << fmt::format("{:<24}{:>14}{:>14}\n", "part", "parameters", "trained");
  std::int64_t parameters = 0, trained = 0;
  for (const auto& part : plan.parts) {
    console.out << fmt::format("{:<24}{:>14}{:>14}\n", part.name, part.parameters, part.trained);
    parameters += part.parameters;
    trained += part.trained;
  }
  console.out << fmt::format("{:<24}{:>14}{:>14}\n", "all", parameters, trained);
  if (!plan.fresh.empty())
    console.out << fmt::format("{} tensors start from random numbers: {}{}\n", plan.fresh.size(),
                               plan.fresh.front(), plan.fresh.size() > 1 ? ", …" : "");
  console.out << fmt::format(
      "{} steps of {} clips at {} pixels\n"
      "memory: {:.2f} GB for weights and optimiser; {:.2f} GB in all during a step\n"
      "{:.2f} seconds a step, {:.0f} steps an hour, {:.1f} hours in all\n",
      plan.steps, plan.clips, plan.image_size, plan.state_bytes / 1e9, plan.memory_bytes / 1e9,
      plan.seconds_per_step, 3600 / plan.seconds_per_step,
      static_cast<double>(plan.steps) * plan.seconds_per_step / 3600);
  return kSuccess;
}

std::string line_of(const train::StepReport& report) {
  std::string line = fmt::format("step {}/{}", report.step, report.steps);
  for (const auto& [name, value] : report.losses) line += fmt::format("  {} {:.4f}", name, value);
  line += fmt::format("  rate {:.2e}  norm {:.2f}  {:.2f} s", report.learning_rate,
                      report.gradient_norm, report.seconds);
  if (report.score) line += fmt::format("  J&F {:.1f}", 100 * *report.score);
  return line;
}

int train_network(const TrainArguments& arguments, const Console& console) {
  train::TrainingRun run = run_of(arguments);
  if (arguments.threads > 0) set_num_threads(arguments.threads);
  if (arguments.plan) return show_plan(run, console);
  if (run.folder.empty()) throw UsageError("--out, or `folder` in --config, says where results go");
  check(run.resume || !fs::exists(run.folder + "/last.safetensors"), ErrorCode::kInvalidArgument,
        "{}: holds a run already; --resume goes on with it", run.folder);
  watch_interrupts();
  set_interrupted(false);
  train::RunHooks hooks;
  hooks.cancelled = interrupted;
  if (!arguments.quiet)
    hooks.progress = [&](const train::StepReport& report) {
      console.err << line_of(report) << std::endl;
    };
  if (!arguments.validation.root.empty()) {
    ValidationArguments validation = arguments.validation;
    validation.device = run.device;
    hooks.validate = [validation](const std::string& path) {
      return validation_score(path, validation);
    };
  }
  const train::Outcome outcome = train::run_training(run, hooks);
  if (outcome.ending == train::Ending::kCancelled) {
    console.err << fmt::format("vostrack: interrupted after step {}; --resume goes on",
                               outcome.step)
                << std::endl;
    return kInterrupted;
  }
  console.out << fmt::format(
      "{}/final.safetensors after {} steps{}\n", run.folder, outcome.step,
      outcome.ending == train::Ending::kNoBetter ? ", as none was better" : "");
  if (outcome.best_score)
    console.out << fmt::format("{}/best.safetensors: J&F {:.1f}\n", run.folder,
                               100 * *outcome.best_score);
  return kSuccess;
}

}  // namespace

void add_train(CLI::App& app, Command& command) {
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* sub = app.add_subcommand("train", "Trains a model on packs of clips and pictures.");
  sub->footer(
      "  vostrack train --weights models/nano.safetensors --packs clips.pack --out run1 --plan");
  sub->add_option("--config", arguments->config,
                  "JSON file with the run: the options below by name, and `settings`")
      ->type_name("FILE");
  sub->add_flag("--plan", arguments->plan,
                "Only print what would be trained, the memory and time of a step");
  sub->add_flag("--resume", arguments->resume, "Go on with the run in --out");
  sub->add_flag("--quiet", arguments->quiet, "Show no progress");
  const char* model = "Model";
  sub->add_option("--weights", arguments->weights,
                  "Checkpoint to start from, of the whole model or of parts [default: none]")
      ->type_name("FILE")
      ->group(model);
  sub->add_option("--model", arguments->model,
                  "Preset such as sam2.1_hiera_t, or JSON file [default: found in the checkpoint]")
      ->type_name("NAME|FILE")
      ->group(model);
  sub->add_option("--device", arguments->device, "cpu, cuda or cuda:N [default: cpu]")
      ->type_name("DEVICE")
      ->group(model);
  sub->add_option("--threads", arguments->threads,
                  "Threads inside the networks [default: one per core]")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->group(model);
  const char* data = "Data";
  sub->add_option("--packs", arguments->packs, "Packs, as vostrack pack writes them")
      ->type_name("FILE")
      ->group(data);
  sub->add_flag("--trial", arguments->trial, "Moving squares instead of packs, to try the rest")
      ->group(data);
  sub->add_option("--frames", arguments->frames, "Frames of a clip [default: 4]")
      ->type_name("N")
      ->check(CLI::Range(1, 64))
      ->group(data);
  const char* training = "Training";
  sub->add_option("--steps", arguments->steps, "Steps in all")->type_name("N")->group(training);
  sub->add_option("--batch", arguments->batch, "Clips of a step")->type_name("N")->group(training);
  sub->add_option("--size", arguments->size,
                  "Side of the networks' input in pixels [default: the model's own]")
      ->type_name("PIXELS")
      ->group(training);
  sub->add_option("--set", arguments->set,
                  "Any other setting, such as optimizer.learning_rate=1e-4; again for more")
      ->type_name("NAME=VALUE")
      ->group(training);
  const char* results = "Results";
  sub->add_option("--out", arguments->out, "Folder for checkpoints and weights")
      ->type_name("DIR")
      ->group(results);
  sub->add_option(
         "--validate", arguments->validation.root,
         "Dataset laid out as DAVIS to score on at the end, and every `validate_every` steps")
      ->type_name("DIR")
      ->group(results);
  sub->add_option("--validate-resolution", arguments->validation.resolution,
                  "Folder within JPEGImages and Annotations")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(results);
  sub->add_option("--validate-sequences", arguments->validation.sequences,
                  "Sequences to score on [default: all]")
      ->type_name("NAME")
      ->group(results);
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return train_network(*arguments, console); };
  });
}

}  // namespace vostrack::cli
