#include "train/training_run.hpp"

#include <sys/resource.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "base/check.hpp"
#include "nn/checkpoint.hpp"
#include "train/data/pack.hpp"
#include "train/data/pack_source.hpp"
#include "train/log/run_log.hpp"
#include "train/networks.hpp"
#include "train/trainer.hpp"
#include "train/trial_clips.hpp"

namespace vostrack::train {
namespace {

using nlohmann::json;

template <class T>
void take(json& rest, const char* key, T& member) {
  const auto it = rest.find(key);
  if (it == rest.end()) return;
  try {
    member = it->get<T>();
  } catch (const json::exception&) {
    fail(ErrorCode::kInvalidArgument, "training run: {} is {}, which is of another type than {}",
         key, it->dump(), json(member).dump());
  }
  rest.erase(it);
}

std::shared_ptr<const ClipSource> open_source(const TrainingRun& run, const TrainConfig& config) {
  if (run.trial)
    return std::make_shared<TrialClips>(
        config.image_size, run.frames,
        run.pictures_share > 0 ? static_cast<int>(1 / run.pictures_share) : 0);
  check(!run.packs.empty(), ErrorCode::kInvalidArgument,
        "no data to train on; name packs (see vostrack pack), or try without data");
  DataConfig data = config.data;
  data.size = config.image_size;
  data.frames = run.frames;
  data.objects = config.most_objects;
  data.picture_objects = config.most_picture_objects;
  data.pictures_share = run.pictures_share;
  return open_packs(run.packs, data);
}

/// Everything that a run is made of.
struct Prepared {
  std::vector<std::string> fresh;
  std::unique_ptr<Trainer> trainer;
  nn::Network network{nullptr};
  TrainConfig config;
};

Prepared prepare(const TrainingRun& run, const std::string& folder) {
  Prepared prepared;
  TrainConfig& config = prepared.config;
  config = train_config_from_json(run.settings);
  nn::StateDict given;
  if (!run.weights.empty()) given = nn::read_checkpoint(run.weights);
  const auto origin = run.weights.empty() ? std::string("training") : run.weights;
  auto model = nn::resolve_config(given, run.model, origin);
  if (config.image_size > 0) model.image_size = config.image_size;
  config.image_size = model.image_size;
  auto started = start_network(model, given, {.seed = config.seed}, origin);
  prepared.fresh = std::move(started.fresh);
  prepared.network = started.network;
  const auto place = place_from_environment();
  const auto device = device_at(run.device, place.value_or(Place()));
  prepared.trainer = std::make_unique<Trainer>(
      std::move(started.network), std::move(model), config, open_source(run, config), folder,
      device, place ? meet(*place, device) : make_alone());
  if (run.resume) prepared.trainer->resume();
  return prepared;
}

std::string part_of(const std::string& name) {
  std::string part = name.starts_with("adapter.") ? name.substr(8) : name;
  for (const char* longer : {"image_encoder.trunk", "image_encoder.neck"})
    if (part.starts_with(longer)) return longer;
  return part.substr(0, part.find('.'));
}

double peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

std::vector<TrainingData> sources_of(const TrainingRun& run, const DataConfig& config) {
  std::map<std::string, TrainingData> sources;
  for (const std::string& path : run.trial ? std::vector<std::string>() : run.packs) {
    const auto pack = PackReader::open(path);
    for (std::size_t i = 0; i < pack->size(); ++i) {
      const RecordInfo& info = pack->info(i);
      TrainingData& source = sources[info.source];
      ++(info.kind == RecordKind::kClip ? source.clips : source.pictures);
    }
  }
  std::vector<TrainingData> result;
  for (auto& [name, source] : sources) {
    source.name = name;
    const auto weight = config.source_weights.find(name);
    if (weight != config.source_weights.end()) source.weight = weight->second;
    result.push_back(std::move(source));
  }
  return result;
}

}  // namespace

std::string default_settings() {
  return train_config_to_json({});
}

TrainingRun TrainingRun::from_json(const std::string& text) {
  json rest = json::parse(text, nullptr, /*allow_exceptions=*/false);
  check(rest.is_object(), ErrorCode::kInvalidArgument, "training run: not a JSON object");
  TrainingRun run;
  take(rest, "model", run.model);
  take(rest, "weights", run.weights);
  take(rest, "packs", run.packs);
  take(rest, "trial", run.trial);
  take(rest, "frames", run.frames);
  take(rest, "pictures_share", run.pictures_share);
  take(rest, "folder", run.folder);
  take(rest, "device", run.device);
  take(rest, "resume", run.resume);
  json settings = json::object();
  take(rest, "settings", settings);
  check(rest.empty(), ErrorCode::kInvalidArgument, "training run: unknown key {}",
        rest.empty() ? std::string() : rest.items().begin().key());
  run.settings = settings.dump();
  train_config_from_json(run.settings);
  return run;
}

TrainingPlan plan_training(const TrainingRun& run) {
  // Nothing of the run's own folder is touched, except that a checkpoint is read.
  const auto folder = run.resume ? run.folder : std::filesystem::temp_directory_path().string();
  const Prepared prepared = prepare(run, folder);
  Trainer& trainer = *prepared.trainer;
  TrainingPlan plan;
  plan.sources = sources_of(run, prepared.config.data);
  plan.fresh = prepared.fresh;
  plan.steps = prepared.config.steps - trainer.steps_taken();
  plan.clips = prepared.config.batch_clips;
  plan.image_size = prepared.config.image_size;
  plan.settings = train_config_to_json(prepared.config);

  std::map<std::string, TrainingPart> parts;
  double weights = 0, trained = 0;
  for (const auto& item : prepared.network->named_parameters()) {
    parts[part_of(item.key())].parameters += item.value().numel();
    weights += static_cast<double>(item.value().numel());
  }
  for (const auto& parameter : trainer.optimizer().parameters()) {
    parts[part_of(parameter.name)].trained += parameter.value.numel();
    trained += static_cast<double>(parameter.value.numel());
  }
  for (auto& [name, part] : parts) {
    part.name = name;
    plan.parts.push_back(part);
  }
  const double copies = prepared.config.optimizer.average > 0 ? 4 : 3;
  plan.state_bytes = 4 * (weights + copies * trained);
  trainer.step();  // the first one is slower: kernels are chosen, memory is taken
  plan.seconds_per_step = trainer.step().seconds;
  plan.memory_bytes = peak_memory();
  return plan;
}

Outcome run_training(const TrainingRun& run, const RunHooks& hooks) {
  check(!run.folder.empty(), ErrorCode::kInvalidArgument, "no folder for results");
  const Prepared prepared = prepare(run, run.folder);
  // Made by the first step's report, which only the process that writes files gets.
  std::optional<RunLog> log;
  TrainHooks inner;
  inner.progress = [&](const StepReport& report) {
    if (!log) log.emplace(run.folder, report.step);
    log->add(report);
    if (hooks.progress) hooks.progress(report);
  };
  inner.examples = [&](std::int64_t step, const auto& clips) { log->add_pictures(step, clips); };
  inner.cancelled = hooks.cancelled;
  if (hooks.validate)
    inner.validate = [&](const nn::StateDict& weights) {
      const auto path = run.folder + "/candidate.safetensors";
      nn::write_safetensors(path, weights, prepared.config.half_export);
      const auto score = hooks.validate(path);
      std::filesystem::remove(path);
      return score;
    };
  return prepared.trainer->run(inner);
}

}  // namespace vostrack::train
