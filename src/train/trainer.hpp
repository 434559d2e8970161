/// The training loop.
///
///   Trainer trainer(start_network(config, {}, {}, "").network, config, options, source, "run");
///   if (resuming) trainer.resume();
///   trainer.run({.progress = print});         // run/last, run/best, run/final.safetensors
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nn/model.hpp"
#include "train/adapters.hpp"
#include "train/clip_loader.hpp"
#include "train/communicator.hpp"
#include "train/optimizer.hpp"
#include "train/report.hpp"
#include "train/train_config.hpp"

namespace vostrack::train {

/// Not thread-safe. With several processes all make the same calls; the first one writes files.
class Trainer {
 public:
  /// @param network  as start_network returns it; the trainer's from here on
  /// @param folder  for results; made unless it is there
  /// @throws Error kInvalidArgument, kIo
  Trainer(nn::Network network, nn::ModelConfig model, TrainConfig config,
          std::shared_ptr<const ClipSource> source, std::string folder,
          torch::Device device = torch::kCPU,
          std::shared_ptr<Communicator> communicator = make_alone());

  /// Goes on from `last.safetensors` in the folder, to the bit as if there had been no break.
  ///
  /// @throws Error kNotFound without the file; kModelMismatch when it belongs to another network or
  ///   seed
  void resume();

  /// Takes the steps that are left, with checkpoints, validation and the final weights. Also writes
  /// a checkpoint when cancelled.
  ///
  /// @throws Error kFailedState when a loss is not a number; the step's clips are then in
  ///   `bad_step.safetensors`
  Outcome run(const TrainHooks& hooks);

  /// One step.
  StepReport step();

  std::int64_t steps_taken() const { return step_; }
  const Optimizer& optimizer() const { return *optimizer_; }
  /// Networks' weights as inference takes them, adapters merged in, with the configuration.
  ///
  /// @param averaged  the average over steps, else the latest
  nn::StateDict weights(bool averaged) const;
  void save_checkpoint() const;

 private:
  struct Totals {
    double clips = 0, video_objects = 0, picture_objects = 0, video_clips = 0, picture_clips = 0;
  };
  /// What a step is made of.
  struct Material {
    std::vector<NumberedClip> clips;
    std::vector<std::vector<Batch>> micro_batches;
  };
  Material take_material();
  std::vector<NumberedClip> take_clips();
  std::vector<std::vector<Batch>> divide(const std::vector<NumberedClip>& clips) const;
  Totals count(const std::vector<std::vector<Batch>>& micro_batches);
  void add_gradients(const Batch& batch, const Totals& totals, torch::Tensor& sums);
  void sum_gradients();
  [[noreturn]] void give_up(const std::vector<NumberedClip>& clips, const StepReport& report) const;
  void show_examples(const TrainHooks& hooks);
  void validate(const TrainHooks& hooks, StepReport& report);
  std::string path(const char* name) const { return folder_ + "/" + name; }
  bool writes_files() const { return communicator_->rank() == 0; }

  TrainConfig config_;
  nn::ModelConfig model_config_;
  nn::Network network_;
  torch::Device device_;
  std::shared_ptr<const ClipSource> source_;
  std::string folder_;
  std::shared_ptr<Communicator> communicator_;
  std::unique_ptr<nn::Model> model_;
  std::unique_ptr<Adapters> adapters_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<ClipLoader> loader_;
  std::future<Material> next_;  ///< for the step after this one; uses the loader

  std::int64_t step_ = 0;
  std::optional<double> best_score_;
  int not_better_ = 0;  ///< validations in a row
};

}  // namespace vostrack::train
