// What the trainer writes and reads.
#include <nlohmann/json.hpp>

#include "base/check.hpp"
#include "nn/checkpoint.hpp"
#include "train/trainer.hpp"

namespace vostrack::train {
namespace {

constexpr const char* kCheckpoint = "last.safetensors";
constexpr const char* kWeights = "weights/";
constexpr const char* kTrained = "trained/";  ///< adapters, which no network has by name

}  // namespace

nn::StateDict Trainer::weights(bool averaged) const {
  nn::StateDict state = nn::weights_of(*network_);
  const auto& parameters = optimizer_->parameters();
  std::vector<torch::Tensor> values;
  if (averaged)
    values = optimizer_->averages();
  else
    for (const auto& parameter : parameters) values.push_back(parameter.value.detach());
  if (adapters_->empty())
    for (std::size_t i = 0; i < parameters.size(); ++i)
      state.tensors.at(parameters[i].name) = values[i];
  else
    adapters_->merge(state, values);
  state.metadata["config"] = nn::config_to_json(model_config_);
  state.metadata["training"] = train_config_to_json(config_);
  return state;
}

void Trainer::save_checkpoint() const {
  nn::StateDict state;
  for (const auto& [name, tensor] : nn::weights_of(*network_).tensors)
    state.tensors[kWeights + name] = tensor;
  if (!adapters_->empty())
    for (const auto& parameter : optimizer_->parameters())
      state.tensors[kTrained + parameter.name] = parameter.value.detach();
  optimizer_->save(state);
  nlohmann::json progress{{"step", step_}, {"not_better", not_better_}, {"seed", config_.seed}};
  if (best_score_) progress["best_score"] = *best_score_;
  state.metadata["config"] = nn::config_to_json(model_config_);
  state.metadata["training"] = train_config_to_json(config_);
  state.metadata["progress"] = progress.dump();
  nn::write_safetensors(path(kCheckpoint), state);
}

void Trainer::resume() {
  const auto file = path(kCheckpoint);
  const nn::StateDict state = nn::read_checkpoint(file);
  const auto text = state.metadata.find("progress");
  const auto progress =
      text == state.metadata.end()
          ? nlohmann::json()
          : nlohmann::json::parse(text->second, nullptr, /*allow_exceptions=*/false);
  const auto whole = [&](const char* key) {
    check(progress.is_object() && progress.contains(key) && progress[key].is_number_integer(),
          ErrorCode::kCorruptFile, "{}: its progress has no {}", file, key);
    return progress[key].get<std::int64_t>();
  };
  const auto step = whole("step");
  const auto not_better = whole("not_better");
  check(static_cast<std::uint64_t>(whole("seed")) == config_.seed, ErrorCode::kModelMismatch,
        "{}: was trained with seed {}, want {}", file, whole("seed"), config_.seed);

  nn::StateDict network, trained;
  const auto part = [](const std::string& name, const char* prefix) {
    return name.substr(std::char_traits<char>::length(prefix));
  };
  for (const auto& [name, tensor] : state.tensors) {
    if (name.starts_with(kWeights)) network.tensors[part(name, kWeights)] = tensor;
    if (name.starts_with(kTrained)) trained.tensors[part(name, kTrained)] = tensor;
  }
  if (!adapters_->empty())
    for (const auto& parameter : optimizer_->parameters()) {
      const auto it = trained.tensors.find(parameter.name);
      check(it != trained.tensors.end() && it->second.sizes() == parameter.value.sizes(),
            ErrorCode::kModelMismatch, "{}: {} is missing or of another shape", file,
            parameter.name);
    }
  optimizer_->load(state);
  nn::load_weights(*network_, network, file);
  torch::NoGradGuard no_grad;
  if (!adapters_->empty())
    for (const auto& parameter : optimizer_->parameters())
      parameter.value.copy_(trained.tensors.at(parameter.name));
  step_ = step;
  not_better_ = static_cast<int>(not_better);
  if (progress.contains("best_score")) best_score_ = progress["best_score"].get<double>();
  loader_.reset();
}

}  // namespace vostrack::train
