#include "train/trainer.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <numeric>

#include "nn/checkpoint.hpp"
#include "support/errors.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensors.hpp"
#include "train/log/comparison.hpp"
#include "train_support.hpp"
#include "video/small_disk.hpp"

namespace vostrack::train {
namespace {

using test::quick_training;
using test::TemporaryFolder;
using test::tiny_config;
using test::tiny_network;

Trainer make_trainer(const std::string& folder, TrainConfig config,
                     std::shared_ptr<const ClipSource> source = nullptr) {
  if (!source) source = std::make_shared<TrialClips>(64, 3, /*pictures_every=*/4);
  return {tiny_network(), tiny_config(), std::move(config), std::move(source), folder};
}

/// Gradients of sums that were made in another order.
void expect_near(const nn::StateDict& got, const nn::StateDict& want) {
  for (const auto& [name, gradient] : want.tensors)
    EXPECT_TRUE(test::near(got.tensors.at(name), gradient, 1e-5 * (1 + test::largest(gradient))))
        << name;
}

void expect_same(const nn::StateDict& got, const nn::StateDict& want) {
  ASSERT_EQ(got.tensors.size(), want.tensors.size());
  for (const auto& [name, tensor] : want.tensors) {
    ASSERT_TRUE(got.tensors.contains(name)) << name;
    EXPECT_TRUE(test::same(got.tensors.at(name), tensor)) << name;
  }
}

TEST(Trainer, ResumesToTheBit) {
  TemporaryFolder whole_folder, broken_folder;
  auto config = quick_training();
  auto whole = make_trainer(whole_folder.path(), config);
  whole.run({});

  auto first = make_trainer(broken_folder.path(), config);
  first.step();
  first.step();
  first.save_checkpoint();
  auto second = make_trainer(broken_folder.path(), config);
  second.resume();
  EXPECT_EQ(second.steps_taken(), 2);
  second.run({});
  expect_same(second.weights(false), whole.weights(false));
  expect_same(nn::read_checkpoint(broken_folder / "last.safetensors"),
              nn::read_checkpoint(whole_folder / "last.safetensors"));
}

TEST(Trainer, LearnsToFollowSquares) {
  TemporaryFolder folder;
  auto config = quick_training();
  config.steps = 30;
  config.batch_clips = 4;
  config.optimizer.learning_rate = 3e-3;
  auto trainer = make_trainer(folder.path(), config, std::make_shared<TrialClips>(64, 2, 0));
  std::vector<double> losses;
  TrainHooks hooks;
  hooks.progress = [&](const StepReport& r) { losses.push_back(r.losses.at("total")); };
  trainer.run(hooks);
  ASSERT_EQ(losses.size(), 30);
  const auto mean = [](auto first, auto last) {
    return std::accumulate(first, last, 0.0) / static_cast<double>(last - first);
  };
  EXPECT_LT(mean(losses.end() - 5, losses.end()), 0.7 * mean(losses.begin(), losses.begin() + 5));
}

TEST(Trainer, GivesTheSameGradientsHoweverAStepIsDivided) {
  TemporaryFolder folder;
  auto config = quick_training();
  config.batch_clips = 4;
  config.optimizer.clip_norm = 0;
  std::vector<nn::StateDict> results;
  for (const int at_once : {0, 1}) {
    config.clips_at_once = at_once;
    auto trainer = make_trainer(folder.path(), config);
    trainer.step();
    results.push_back(test::gradients_of(trainer));
  }
  ASSERT_FALSE(results[0].tensors.empty());
  expect_near(results[1], results[0]);
}

TEST(Trainer, GivesTheSameGradientsWithARecomputedEncoder) {
  TemporaryFolder folder;
  auto config = quick_training();
  config.optimizer.clip_norm = 0;
  std::vector<nn::StateDict> results;
  for (const bool recompute : {false, true}) {
    config.recompute_encoder = recompute;
    auto trainer = make_trainer(folder.path(), config);
    trainer.step();
    results.push_back(test::gradients_of(trainer));
  }
  ASSERT_TRUE(results[0].tensors.contains("image_encoder.trunk.patch_embed.proj.weight"));
  expect_near(results[1], results[0]);
}

TEST(Trainer, TrainsInMixedPrecision) {
  TemporaryFolder folder;
  auto config = quick_training();
  const auto exact = make_trainer(folder.path(), config).step();
  config.bfloat16 = true;
  const auto mixed = make_trainer(folder.path(), config).step();
  EXPECT_NE(mixed.losses.at("total"), exact.losses.at("total"));
  EXPECT_NEAR(mixed.losses.at("total"), exact.losses.at("total"), 0.1 * exact.losses.at("total"));
}

TEST(Trainer, WritesWeightsThatLoadWithTheirConfiguration) {
  TemporaryFolder folder;
  auto trainer = make_trainer(folder.path(), quick_training());
  trainer.run({});
  const auto model = nn::Model::load(folder / "final.safetensors", {});
  EXPECT_EQ(model->config().image_size, 64);
  expect_same(nn::read_checkpoint(folder / "final.safetensors"), trainer.weights(true));
}

TEST(Trainer, KeepsTheBestModelAndStopsWhenNoneIsBetter) {
  TemporaryFolder folder;
  auto config = quick_training();
  config.steps = 20;
  config.validate_every = 1;
  config.patience = 2;
  auto trainer = make_trainer(folder.path(), config);
  int validations = 0;
  nn::StateDict at_best;
  TrainHooks hooks;
  hooks.validate = [&](const auto&) -> std::optional<double> {
    if (++validations == 2) at_best = trainer.weights(true);
    for (auto& [name, tensor] : at_best.tensors) tensor = tensor.clone();
    return validations == 2 ? 0.8 : 0.5;
  };
  const auto outcome = trainer.run(hooks);
  EXPECT_EQ(outcome.ending, Ending::kNoBetter);
  EXPECT_EQ(outcome.step, 4);
  EXPECT_EQ(outcome.best_score, 0.8);
  expect_same(nn::read_checkpoint(folder / "best.safetensors"), at_best);
}

TEST(Trainer, ShowsTheSameExamplesAndTrainsAsIfItDidNot) {
  TemporaryFolder plain_folder, folder;
  auto config = quick_training();
  auto plain = make_trainer(plain_folder.path(), config);
  plain.run({});

  config.examples_every = 2;
  config.examples = 4;
  std::vector<std::int64_t> steps;
  std::vector<std::vector<std::vector<ComparedFrame>>> shown;
  TrainHooks hooks;
  hooks.examples = [&](std::int64_t step, const auto& clips) {
    steps.push_back(step);
    shown.push_back(clips);
  };
  auto trainer = make_trainer(folder.path(), config);
  trainer.run(hooks);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{2, 4}));
  ASSERT_EQ(shown[0].size(), 4);
  // TrialClips' fourth is a single picture, shown for each kind of prompt; the others have a frame
  // after the other.
  EXPECT_EQ(shown[0][3].size(), 3);
  EXPECT_EQ(shown[0][3][0].picture.rgb, shown[0][3][2].picture.rgb);
  EXPECT_EQ(shown[0][0].size(), 3);
  int moving = 0;  // some of TrialClips' squares stand still
  for (int clip = 0; clip < 3; ++clip)
    moving += shown[0][clip][0].picture.rgb != shown[0][clip][2].picture.rgb;
  EXPECT_GT(moving, 0);
  EXPECT_EQ(shown[0][0][1].picture.rgb, shown[1][0][1].picture.rgb);
  EXPECT_EQ(shown[0][0][1].truth.data, shown[1][0][1].truth.data);
  expect_same(trainer.weights(false), plain.weights(false));
}

TEST(Trainer, StopsAtTheCallersWishAndCanGoOn) {
  TemporaryFolder folder;
  auto trainer = make_trainer(folder.path(), quick_training());
  int steps = 0;
  TrainHooks hooks;
  hooks.cancelled = [&] { return ++steps == 3; };
  const auto outcome = trainer.run(hooks);
  EXPECT_EQ(outcome.ending, Ending::kCancelled);
  auto again = make_trainer(folder.path(), quick_training());
  again.resume();
  EXPECT_EQ(again.steps_taken(), 3);
}

TEST(Trainer, StopsOnALossThatIsNotANumberAndKeepsItsClips) {
  TemporaryFolder folder;
  auto config = quick_training();
  auto network = tiny_network();
  {
    torch::NoGradGuard no_grad;
    network->no_mem_embed.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  config.prompts.point_probability = 1;
  Trainer trainer(network, tiny_config(), config, std::make_shared<TrialClips>(64, 3, 0),
                  folder.path());
  test::expect_error(ErrorCode::kFailedState, "step 0: the loss is nan", [&] { trainer.step(); });
  EXPECT_TRUE(
      nn::read_checkpoint(folder / "bad_step.safetensors").tensors.contains("clip1/frames"));
}

TEST(Trainer, KeepsTheLastCheckpointWhenTheDiskIsFull) {
  TemporaryFolder folder;
  auto trainer = make_trainer(folder.path(), quick_training());
  trainer.step();
  trainer.save_checkpoint();
  const auto before = nn::read_checkpoint(folder / "last.safetensors");
  trainer.step();
  {
    const test::SmallDisk disk(20'000);
    test::expect_error(ErrorCode::kIo, "last.safetensors", [&] { trainer.save_checkpoint(); });
  }
  expect_same(nn::read_checkpoint(folder / "last.safetensors"), before);
  const std::filesystem::directory_iterator files(folder.path());
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST(Trainer, PassesOverClipsOfWhichNothingIsKnown) {
  class Unknown : public TrialClips {
   public:
    Unknown() : TrialClips(64, 2, 0) {}
    Clip sample(std::uint64_t seed, std::int64_t index) const override {
      Clip clip = TrialClips::sample(seed, index);
      if (index % 2 == 0) clip.masks.fill_(255);
      return clip;
    }
  };
  TemporaryFolder folder;
  auto config = quick_training();
  config.batch_clips = 1;
  auto trainer = make_trainer(folder.path(), config, std::make_shared<Unknown>());
  EXPECT_EQ(trainer.step().losses.at("total"), 0);
  EXPECT_GT(trainer.step().losses.at("total"), 0);
}

TEST(Trainer, TrainsAdaptersAloneAndMergesThem) {
  TemporaryFolder folder;
  auto config = quick_training();
  config.adapters.rank = 2;
  config.optimizer.average = 0;
  auto trainer = make_trainer(folder.path(), config);
  const auto before = nn::weights_of(*tiny_network());
  trainer.run({});
  const auto after = nn::read_checkpoint(folder / "final.safetensors");
  int changed = 0;
  for (const auto& [name, tensor] : before.tensors) {
    const bool adapted = name.ends_with(".weight") && tensor.dim() == 2 &&
                         !name.ends_with("token.weight") &&
                         (name.starts_with("memory_attention.") ||
                          name.starts_with("sam_mask_decoder.transformer."));
    const bool same = torch::equal(after.tensors.at(name), tensor);
    EXPECT_TRUE(adapted || same) << name;
    changed += adapted && !same;
  }
  EXPECT_GT(changed, 10);

  auto again = make_trainer(folder.path(), config);
  again.resume();
  expect_same(again.weights(false), trainer.weights(false));
}

TEST(Trainer, RefusesToResumeAnotherRun) {
  TemporaryFolder folder;
  auto config = quick_training();
  make_trainer(folder.path(), config).save_checkpoint();
  config.seed = 2;
  auto other = make_trainer(folder.path(), config);
  test::expect_error(ErrorCode::kModelMismatch, "seed 1, want 2", [&] { other.resume(); });
}

}  // namespace
}  // namespace vostrack::train
