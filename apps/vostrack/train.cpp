#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <ostream>

#include "apps/vostrack/cli.hpp"
#include "apps/vostrack/commands.hpp"
#include "apps/vostrack/interrupt.hpp"
#include "apps/vostrack/train_arguments.hpp"
#include "apps/vostrack/usage.hpp"
#include "base/check.hpp"
#include "train/log/step_lines.hpp"
#include "train/training_run.hpp"

namespace vostrack::cli {
namespace {

namespace fs = std::filesystem;

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
  for (const auto& source : plan.sources)
    console.out << fmt::format("{:<24}{:>8} pictures{:>8} clips, weight {}\n", source.name,
                               source.pictures, source.clips, source.weight);
  console.out << "settings: " << plan.settings << '\n';
  return kSuccess;
}

int train_network(const TrainArguments& arguments, const Console& console) {
  const train::TrainingRun run = arguments.run();
  if (arguments.threads > 0) set_num_threads(arguments.threads);
  if (arguments.plan) return show_plan(run, console);
  if (run.folder.empty()) throw UsageError("--out, or `folder` in --config, says where results go");
  check(run.resume || !fs::exists(run.folder + "/last.safetensors"), ErrorCode::kInvalidArgument,
        "{}: holds a run already; --resume goes on with it", run.folder);
  watch_interrupts();
  set_interrupted(false);
  train::RunHooks hooks;
  hooks.cancelled = interrupted;
  train::StepLines lines(arguments.log_every);
  if (!arguments.quiet)
    hooks.progress = [&](const train::StepReport& report) {
      if (const auto line = lines.add(report)) console.err << *line << std::endl;
    };
#ifdef VOSTRACK_WITH_VIDEO
  if (!arguments.validation.root.empty()) {
    ValidationArguments validation = arguments.validation;
    validation.device = run.device;
    hooks.validate = [validation](const std::string& path) {
      return validation_score(path, validation);
    };
  }
#endif
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
  arguments->add_to(*sub);
  sub->callback([arguments, &command] {
    command = [arguments](const Console& console) { return train_network(*arguments, console); };
  });
}

}  // namespace vostrack::cli
