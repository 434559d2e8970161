#include "train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <filesystem>

#include "base/check.hpp"
#include "nn/checkpoint.hpp"
#include "train/autocast.hpp"
#include "train/clip_forward.hpp"
#include "train/networks.hpp"
#include "train/preview.hpp"

namespace vostrack::train {
namespace {

constexpr const char* kLossNames[] = {"total", "focal", "dice", "iou", "object"};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Batches have another number of pictures and objects at every step, for each of which cuDNN would
/// compile kernels: of attention, and of depthwise convolutions with channels last, half a second
/// for each layer. LibTorch's own kernels take any number.
void prepare_cuda() {
  at::globalContext().setSDPUseCuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(true);
}

}  // namespace

Trainer::Trainer(nn::Network network, nn::ModelConfig model, TrainConfig config,
                 std::shared_ptr<const ClipSource> source, std::string folder, torch::Device device,
                 std::shared_ptr<Communicator> communicator)
    : config_(std::move(config)),
      model_config_(std::move(model)),
      network_(std::move(network)),
      device_(device),
      source_(std::move(source)),
      folder_(std::move(folder)),
      communicator_(std::move(communicator)) {
  config_.validate();
  if (config_.image_size == 0) config_.image_size = model_config_.image_size;
  check(config_.image_size == model_config_.image_size, ErrorCode::kInvalidArgument,
        "image_size is {}, but the networks were made for {}", config_.image_size,
        model_config_.image_size);
  check(config_.batch_clips % communicator_->size() == 0, ErrorCode::kInvalidArgument,
        "batch_clips is {}, want a multiple of the {} processes", config_.batch_clips,
        communicator_->size());
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  check(!error, ErrorCode::kIo, "{}: {}", folder_, error.message());

  network_->to(device_);
  network_->train();
  if (device_.is_cpu()) use_channels_last(*network_);
  if (device_.is_cuda()) prepare_cuda();
  model_ = std::make_unique<nn::Model>(model_config_, network_, device_);
  adapters_ = std::make_unique<Adapters>(*network_, config_.adapters);
  optimizer_ = std::make_unique<Optimizer>(
      config_.optimizer, adapters_->empty()
                             ? choose_parameters(*network_, config_.parameters)
                             : adapters_->parameters(config_.parameters.weight_decay));
}

Trainer::Material Trainer::take_material() {
  const auto take = [this] {
    Material material;
    material.clips = take_clips();
    material.micro_batches = divide(material.clips);
    return material;
  };
  Material material = next_.valid() ? next_.get() : take();
  if (step_ + 1 < config_.steps) next_ = std::async(std::launch::async, take);
  return material;
}

std::vector<NumberedClip> Trainer::take_clips() {
  const std::int64_t own = config_.batch_clips / communicator_->size();
  if (!loader_) {
    const std::int64_t before = communicator_->rank() * own;
    loader_ = std::make_unique<ClipLoader>(
        source_, config_.seed,
        [own, before, all = config_.batch_clips](std::int64_t n) {
          return n / own * all + before + n % own;
        },
        step_ * own, config_.loader_threads, config_.clips_ahead);
  }
  std::vector<NumberedClip> clips;
  for (std::int64_t i = 0; i < own; ++i) clips.push_back(loader_->next());
  return clips;
}

std::vector<std::vector<Batch>> Trainer::divide(const std::vector<NumberedClip>& clips) const {
  const BatchOptions options{config_.image_size, config_.most_objects,
                             config_.most_picture_objects};
  const std::size_t at_once =
      config_.clips_at_once > 0 ? static_cast<std::size_t>(config_.clips_at_once) : clips.size();
  std::vector<std::vector<Batch>> parts;
  for (std::size_t first = 0; first < clips.size(); first += at_once)
    parts.push_back(collate(
        {clips.begin() + static_cast<std::ptrdiff_t>(first),
         clips.begin() + static_cast<std::ptrdiff_t>(std::min(clips.size(), first + at_once))},
        options));
  return parts;
}

Trainer::Totals Trainer::count(const std::vector<std::vector<Batch>>& micro_batches) {
  Totals totals;
  for (const auto& batches : micro_batches)
    for (const Batch& batch : batches) {
      const auto objects = static_cast<double>(batch.objects());
      const auto clips = static_cast<double>(batch.clips());
      (batch.single_pictures ? totals.picture_objects : totals.video_objects) += objects;
      (batch.single_pictures ? totals.picture_clips : totals.video_clips) += clips;
    }
  std::vector<torch::Tensor> sums{torch::tensor(
      {totals.video_objects, totals.picture_objects, totals.video_clips, totals.picture_clips},
      torch::kFloat64)};
  communicator_->sum(sums);
  totals.video_objects = sums[0][0].item<double>();
  totals.picture_objects = sums[0][1].item<double>();
  totals.video_clips = sums[0][2].item<double>();
  totals.picture_clips = sums[0][3].item<double>();
  totals.clips = totals.video_clips + totals.picture_clips;
  return totals;
}

void Trainer::add_gradients(const Batch& cpu_batch, const Totals& totals, torch::Tensor& sums) {
  const Batch batch = on_device(cpu_batch, device_);
  // Each kind's loss is a mean over its objects in all batches of the step, and kinds count by
  // their clips; so it does not matter how the step is divided.
  const double objects = batch.single_pictures ? totals.picture_objects : totals.video_objects;
  const double clips = batch.single_pictures ? totals.picture_clips : totals.video_clips;
  double divisor = objects * totals.clips / clips;
  if (config_.mean_over_frames) divisor *= static_cast<double>(frames_judged(batch));

  FrameEncoder frames(*model_, batch,
                      {.recompute = config_.recompute_encoder, .bfloat16 = config_.bfloat16});
  RandomPrompter prompter(config_.prompts, batch, config_.seed, static_cast<std::uint64_t>(step_));
  std::vector<Step> steps;
  {
    Autocast precision(device_, config_.bfloat16);
    steps = clip_forward(*model_, frames, batch, config_.prompts, prompter);
  }
  const auto losses =
      compute_losses(config_.loss, steps, divisor, model_config_.model.pred_obj_scores);
  steps.clear();
  if (losses.total.requires_grad()) {
    losses.total.backward();
    frames.backward();
  }
  // Last, since looking at a number waits for a GPU.
  sums += torch::stack({losses.total, losses.focal, losses.dice, losses.iou, losses.object})
              .detach()
              .to(torch::kCPU, torch::kFloat64);
}

void Trainer::sum_gradients() {
  if (communicator_->size() == 1) return;
  std::vector<torch::Tensor> gradients;
  for (const auto& parameter : optimizer_->parameters()) {
    auto& gradient = parameter.value.mutable_grad();
    // What one process did not use another may have.
    if (!gradient.defined()) gradient = torch::zeros_like(parameter.value);
    gradients.push_back(gradient);
  }
  communicator_->sum(gradients);
}

StepReport Trainer::step() {
  const auto start = std::chrono::steady_clock::now();
  const auto [clips, micro_batches] = take_material();
  StepReport report;
  report.waiting_s = seconds_since(start);
  report.steps = config_.steps;
  report.learning_rate = learning_rate(config_.optimizer, step_, config_.steps);

  const Totals totals = count(micro_batches);
  report.objects = static_cast<std::int64_t>(totals.video_objects + totals.picture_objects);
  optimizer_->clear_gradients();
  std::vector<torch::Tensor> sums{torch::zeros({5}, torch::kFloat64)};
  for (const auto& batches : micro_batches)
    for (const Batch& batch : batches) {
      adapters_->apply();
      add_gradients(batch, totals, sums[0]);
    }
  sum_gradients();
  communicator_->sum(sums);
  for (int i = 0; i < 5; ++i) report.losses[kLossNames[i]] = sums[0][i].item<double>();
  report.gradient_norm = optimizer_->clip();
  if (!std::isfinite(report.losses["total"]) || !std::isfinite(report.gradient_norm))
    give_up(clips, report);
  optimizer_->step(report.learning_rate);
  report.step = ++step_;
  report.seconds = seconds_since(start);
  return report;
}

void Trainer::give_up(const std::vector<NumberedClip>& clips, const StepReport& report) const {
  nn::StateDict state;
  for (const NumberedClip& numbered : clips) {
    state.tensors[fmt::format("clip{}/frames", numbered.index)] = numbered.clip.frames;
    state.tensors[fmt::format("clip{}/masks", numbered.index)] = numbered.clip.masks;
  }
  const auto file = fmt::format("{}/bad_step.{}safetensors", folder_,
                                writes_files() ? "" : fmt::format("{}.", communicator_->rank()));
  nn::write_safetensors(file, state);
  fail(ErrorCode::kFailedState,
       "step {}: the loss is {} and the gradient's norm {}; the step's clips are in {}. Try a "
       "lower learning_rate, or no bfloat16",
       step_, std::abs(report.losses.at("total")), report.gradient_norm, file);
}

void Trainer::show_examples(const TrainHooks& hooks) {
  std::vector<NumberedClip> clips;
  // Of another seed, so that they are never among those that are trained on.
  for (std::int64_t i = 0; i < config_.examples; ++i)
    clips.push_back({i, source_->sample(config_.seed + 1, i)});
  adapters_->apply();
  hooks.examples(step_, preview(*model_, clips, config_.prompts));
}

void Trainer::validate(const TrainHooks& hooks, StepReport& report) {
  // The first process scores and tells the others, who add nothing: whether there is a score, and
  // which.
  std::vector<torch::Tensor> answer{torch::zeros({2}, torch::kFloat64)};
  nn::StateDict averaged;
  if (writes_files()) {
    averaged = weights(/*averaged=*/true);
    if (const auto score = hooks.validate(averaged))
      answer[0].copy_(torch::tensor({1.0, *score}, torch::kFloat64));
  }
  communicator_->sum(answer);
  if (answer[0][0].item<double>() == 0) return;
  report.score = answer[0][1].item<double>();
  if (best_score_ && *report.score <= *best_score_) {
    ++not_better_;
    return;
  }
  best_score_ = report.score;
  not_better_ = 0;
  if (writes_files())
    nn::write_safetensors(path("best.safetensors"), averaged, config_.half_export);
}

Outcome Trainer::run(const TrainHooks& hooks) {
  Outcome outcome;
  while (step_ < config_.steps) {
    StepReport report = step();
    const bool last = step_ == config_.steps;
    const bool due = config_.validate_every > 0 && step_ % config_.validate_every == 0;
    if (hooks.validate && (due || last)) validate(hooks, report);
    if (hooks.progress && writes_files()) hooks.progress(report);
    if (hooks.examples && writes_files() && config_.examples_every > 0 &&
        (last || step_ % config_.examples_every == 0))
      show_examples(hooks);
    std::vector<torch::Tensor> stop{
        torch::full({}, hooks.cancelled && hooks.cancelled() ? 1.0 : 0.0, torch::kFloat64)};
    communicator_->sum(stop);  // all stop after the same step
    if (stop[0].item<double>() > 0 && !last) outcome.ending = Ending::kCancelled;
    if (config_.patience > 0 && not_better_ >= config_.patience) outcome.ending = Ending::kNoBetter;
    const bool ends = last || outcome.ending != Ending::kFinished;
    if (writes_files() && (ends || step_ % config_.checkpoint_every == 0)) save_checkpoint();
    if (ends) break;
  }
  if (writes_files() && outcome.ending != Ending::kCancelled)
    nn::write_safetensors(path("final.safetensors"), weights(/*averaged=*/true),
                          config_.half_export);
  if (next_.valid()) next_.wait();
  loader_.reset();
  outcome.step = step_;
  outcome.best_score = best_score_;
  return outcome;
}

}  // namespace vostrack::train
