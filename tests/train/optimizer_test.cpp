#include "train/optimizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/errors.hpp"
#include "support/tensors.hpp"
#include "train/clip_loader.hpp"
#include "train_support.hpp"

namespace vostrack::train {
namespace {

const TrainedParameter& find(const std::vector<TrainedParameter>& all, const std::string& name) {
  return *std::ranges::find(all, name, &TrainedParameter::name);
}

TEST(Parameters, DecayWeightsButNoNormsBiasesAndEmbeddings) {
  auto network = test::tiny_network();
  const auto all = choose_parameters(*network, {.weight_decay = 0.1});
  for (const char* name : {"image_encoder.trunk.patch_embed.proj.weight",
                           "memory_attention.layers.0.linear1.weight", "obj_ptr_tpos_proj.weight"})
    EXPECT_EQ(find(all, name).weight_decay, 0.1) << name;
  for (const char* name :
       {"image_encoder.trunk.patch_embed.proj.bias", "image_encoder.trunk.pos_embed",
        "memory_attention.norm.weight", "sam_mask_decoder.mask_tokens.weight", "maskmem_tpos_enc",
        "sam_prompt_encoder.no_mask_embed.weight", "no_obj_ptr"})
    EXPECT_EQ(find(all, name).weight_decay, 0) << name;
}

TEST(Parameters, SlowTheTrunkDownTheMoreTheEarlierTheBlock) {
  auto network = test::tiny_network();  // with five blocks
  const auto all = choose_parameters(*network, {.trunk_rate = 0.5, .layer_decay = 0.9});
  const auto rate = [&](const std::string& name) {
    return find(all, "image_encoder.trunk." + name).rate;
  };
  EXPECT_DOUBLE_EQ(rate("blocks.4.norm1.weight"), 0.5 * 0.9);
  EXPECT_DOUBLE_EQ(rate("blocks.0.norm1.weight"), 0.5 * std::pow(0.9, 5));
  EXPECT_DOUBLE_EQ(rate("patch_embed.proj.weight"), 0.5 * std::pow(0.9, 6));
  EXPECT_DOUBLE_EQ(rate("pos_embed"), 0.5);
  EXPECT_DOUBLE_EQ(find(all, "maskmem_tpos_enc").rate, 1);
}

TEST(Parameters, StayFrozenByPatternOrOutsideTheDecoder) {
  auto network = test::tiny_network();
  for (const auto& p : choose_parameters(*network, {.frozen = {"image_encoder.*"}}))
    EXPECT_FALSE(p.name.starts_with("image_encoder.")) << p.name;
  for (const auto& p : choose_parameters(*network, {.decoder_only = true}))
    EXPECT_TRUE(p.name.starts_with("sam_mask_decoder.")) << p.name;
  test::expect_error(ErrorCode::kInvalidArgument, "no parameter is called trunk.*",
                     [&] { choose_parameters(*network, {.frozen = {"trunk.*"}}); });
  test::expect_error(ErrorCode::kInvalidArgument, "all parameters are frozen",
                     [&] { choose_parameters(*network, {.frozen = {"*"}}); });
}

TEST(LearningRate, WarmsUpAndFallsAsACosine) {
  const OptimizerConfig config{.learning_rate = 1, .final_rate = 0.1, .warmup_steps = 10};
  EXPECT_DOUBLE_EQ(learning_rate(config, 0, 110), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 9, 110), 1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 10, 110), 1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 60, 110), 0.55);
  EXPECT_DOUBLE_EQ(learning_rate(config, 110, 110), 0.1);
}

TEST(Optimizer, StepsAsAdamWDoes) {
  const auto start = torch::tensor({1.0f, -2.0f, 3.0f});
  auto ours = start.clone().requires_grad_(true);
  auto theirs = start.clone().requires_grad_(true);
  const OptimizerConfig config{.beta2 = 0.98, .clip_norm = 0, .average = 0};
  Optimizer optimizer(config, {{"w", ours, 1.0, 0.1}});
  torch::optim::AdamW reference(
      {theirs},
      torch::optim::AdamWOptions(0.01).betas(std::tuple{0.9, 0.98}).eps(1e-8).weight_decay(0.1));
  for (int i = 0; i < 5; ++i) {
    for (auto* w : {&ours, &theirs}) {
      w->mutable_grad() = torch::Tensor();
      (w->pow(3).sum()).backward();
    }
    optimizer.step(0.01);
    reference.step();
  }
  EXPECT_TRUE(test::near(ours, theirs, 1e-6));
}

TEST(Optimizer, ClipsAllGradientsTogether) {
  auto a = torch::zeros({1}).requires_grad_(true);
  auto b = torch::zeros({1}).requires_grad_(true);
  (3 * a + 4 * b).sum().backward();
  Optimizer optimizer({.clip_norm = 1}, {{"a", a, 1, 0}, {"b", b, 1, 0}});
  EXPECT_FLOAT_EQ(static_cast<float>(optimizer.clip()), 5);
  EXPECT_NEAR(a.grad().item<float>(), 0.6, 1e-6);
  EXPECT_NEAR(b.grad().item<float>(), 0.8, 1e-6);
}

TEST(Optimizer, AveragesWeights) {
  auto w = torch::zeros({1}).requires_grad_(true);
  Optimizer optimizer({.average = 0.5}, {{"w", w, 1, 0}});
  double average = 0;
  for (int i = 1; i <= 20; ++i) {
    w.mutable_grad() = torch::ones({1});
    optimizer.step(0.1);
    const double decay = std::min(0.5, (1.0 + i) / (10.0 + i));
    average = decay * average + (1 - decay) * w.item<double>();
  }
  EXPECT_NEAR(optimizer.averages()[0].item<double>(), average, 1e-6);
}

TEST(TrainConfig, ComesBackFromJson) {
  TrainConfig config;
  config.steps = 77;
  config.parameters.frozen = {"image_encoder.*"};
  config.optimizer.learning_rate = 1e-5;
  config.prompts.correct_after_mask = true;
  config.data.augment.flip = 0.25;
  config.data.source_weights["mine"] = 3;
  const auto text = train_config_to_json(config);
  EXPECT_EQ(train_config_to_json(train_config_from_json(text)), text);
  EXPECT_EQ(train_config_to_json(train_config_from_json("{}")),
            train_config_to_json(TrainConfig()));
}

TEST(TrainConfig, KeepsDefaultWeightsOfSourcesThatAreNotNamed) {
  const auto config = train_config_from_json(R"({"data": {"source_weights": {"mine": 2}}})");
  EXPECT_EQ(config.data.source_weights.at("mine"), 2);
  EXPECT_EQ(config.data.source_weights.at("ccp"), 0.5);
}

TEST(TrainConfig, NamesWhatIsWrong) {
  const auto refused = [](const std::string& text, const std::string& complaint) {
    test::expect_error(ErrorCode::kInvalidArgument, complaint,
                       [&] { train_config_from_json(text); });
  };
  refused("[]", "not a JSON object");
  refused(R"({"optimizer": {"rate": 1}})", "unknown key /optimizer/rate");
  refused(R"({"steps": "many"})", "steps is \"many\", which is of another type than 1000");
  refused(R"({"steps": 0})", "steps is 0, want at least 1");
  refused(R"({"data": {"augment": {"flop": 0}}})", "unknown key /data/augment/flop");
  refused(R"({"data": {"augment": {"flip": 2}}})", "data.augment.flip is 2, want 0 to 1");
  refused(R"({"data": {"source_weights": {"mine": "much"}}})", "of another type");
  refused(R"({"prompts": {"box_probability": 2}})", "prompts.box_probability is 2, want 0 to 1");
}

TEST(ClipLoader, HandsClipsOutInOrderWhateverTheThreads) {
  ClipLoader loader(
      std::make_shared<TrialClips>(16, 2, 0), 3, [](std::int64_t n) { return 2 * n; }, 5, 3, 2);
  const TrialClips source(16, 2, 0);
  for (int i = 5; i < 15; ++i) {
    const auto next = loader.next();
    EXPECT_EQ(next.index, 2 * i);
    EXPECT_TRUE(test::same(next.clip.frames, source.sample(3, 2 * i).frames));
  }
}

/// Counts what is asked of it, and fails at one clip.
class CountingClips : public ClipSource {
 public:
  Clip sample(std::uint64_t seed, std::int64_t index) const override {
    ++asked;
    if (index == 3) throw Error(ErrorCode::kIo, "clip 3 is broken");
    return clips_.sample(seed, index);
  }
  mutable std::atomic<int> asked{0};

 private:
  TrialClips clips_{16, 1, 0};
};

TEST(ClipLoader, MakesNoMoreClipsAheadThanItMay) {
  const auto source = std::make_shared<CountingClips>();
  {
    ClipLoader loader(
        source, 1, [](std::int64_t n) { return n; }, 0, 2, 2);
    loader.next();
  }
  EXPECT_LE(source->asked, 3);
}

TEST(ClipLoader, PassesFailuresOnWhenTheirClipIsDue) {
  ClipLoader loader(
      std::make_shared<CountingClips>(), 1, [](std::int64_t n) { return n; }, 0, 2, 8);
  for (int i = 0; i < 3; ++i) loader.next();
  test::expect_error(ErrorCode::kIo, "clip 3 is broken", [&] { loader.next(); });
  EXPECT_EQ(loader.next().index, 4);
}

}  // namespace
}  // namespace vostrack::train
