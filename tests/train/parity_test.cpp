// The loss of a whole clip and its gradients, against the reference's (tests/data/make_train.py).
#include <gtest/gtest.h>

#include <cmath>

#include "nn/checkpoint.hpp"
#include "support/tensors.hpp"
#include "train/clip_forward.hpp"

namespace vostrack::train {
namespace {

const std::string kData = VOSTRACK_TEST_DATA;
// As in the script.
constexpr double kScoreShift = 5;
constexpr std::int64_t kWhole = 128, kStride = 61;

std::vector<std::int64_t> numbers(const torch::Tensor& tensor) {
  return {tensor.data_ptr<std::int64_t>(), tensor.data_ptr<std::int64_t>() + tensor.numel()};
}

/// Answers with what the fixture holds, request by request.
class FixedPrompter : public Prompter {
 public:
  FixedPrompter(const nn::StateDict& fixture, std::string scenario)
      : fixture_(fixture), scenario_(std::move(scenario)) {}

  std::vector<PromptPlan> plan(const Batch& batch) override {
    PromptPlan plan;
    plan.kind = static_cast<PromptKind>(at("kind").item<std::int64_t>());
    plan.conditioning = numbers(at("conditioning"));
    plan.corrected = numbers(at("corrected"));
    for (std::int64_t i = 0; i < batch.objects(); ++i) plan.objects.push_back(i);
    return {plan};
  }
  tracker::PointInputs click(const std::vector<std::int64_t>&, const torch::Tensor&,
                             const torch::Tensor&) override {
    return next();
  }
  tracker::PointInputs box(const std::vector<std::int64_t>&, const torch::Tensor&) override {
    return next();
  }
  tracker::PointInputs clicks_with_background(const Batch&,
                                              const std::vector<std::int64_t>&) override {
    return next();
  }
  torch::Tensor at(const std::string& name) const {
    return fixture_.tensors.at(scenario_ + "/" + name);
  }

 private:
  tracker::PointInputs next() {
    const auto name = "points/" + std::to_string(requests_++);
    return {at(name + "/coords"), at(name + "/labels")};
  }

  const nn::StateDict& fixture_;
  std::string scenario_;
  int requests_ = 0;
};

class ClipParity : public ::testing::TestWithParam<std::string> {};

TEST_P(ClipParity, GivesTheReferencesLossAndGradients) {
  const auto fixture = nn::read_checkpoint(kData + "/train/clip.safetensors");
  const auto state = nn::read_checkpoint(kData + "/parity/small_sam21/model.pt");
  const auto config =
      nn::resolve_config(state, kData + "/parity/small_sam21/config.json", "fixture");
  auto network = nn::build_network(config, state, "fixture");
  for (const auto& item : network->named_parameters())
    if (item.key() == "sam_mask_decoder.pred_obj_score_head.layers.2.bias") {
      torch::NoGradGuard no_grad;
      item.value().add_(kScoreShift);
    }
  network->train();
  const nn::Model model(config, network, torch::kCPU);

  Batch batch;
  batch.frames = fixture.tensors.at("frames");
  batch.masks = fixture.tensors.at("masks");
  batch.clip_of = fixture.tensors.at("clip_of");
  FixedPrompter prompter(fixture, GetParam());
  PromptOptions options;
  options.corrections_per_frame = static_cast<int>(prompter.at("corrections").item<std::int64_t>());
  FrameEncoder frames(model, batch, {});
  const auto steps = clip_forward(model, frames, batch, options, prompter);
  const auto losses =
      compute_losses({}, steps, static_cast<double>(batch.objects()), /*predicts_objects=*/true);
  losses.total.backward();

  const auto near = [&](const torch::Tensor& got, const torch::Tensor& want, double relative) {
    return test::near(got, want, relative * (test::largest(want) + 1e-30));
  };
  EXPECT_TRUE(near(losses.total, prompter.at("loss/total"), 1e-5));
  EXPECT_TRUE(near(losses.focal, prompter.at("loss/mask"), 1e-5));
  EXPECT_TRUE(near(losses.dice, prompter.at("loss/dice"), 1e-5));
  EXPECT_TRUE(near(losses.iou, prompter.at("loss/iou"), 1e-5));
  EXPECT_TRUE(near(losses.object, prompter.at("loss/class"), 1e-5));

  int reached = 0;
  double difference = 0, length = 0;
  for (const auto& item : network->named_parameters()) {
    const auto want = prompter.at("gradient/" + item.key());
    auto got = item.value().grad();
    if (!got.defined()) got = torch::zeros_like(item.value());
    got = got.flatten();
    if (got.numel() > kWhole) got = got.slice(0, 0, torch::indexing::None, kStride);
    // Sharp attention multiplies rounding: the noise says by how much in the reference itself.
    double noise = prompter.at("noise/" + item.key()).item<double>();
    // In the mask decoder a key's bias moves all of a query's scores alike: its gradient is zero
    // but for the rounding of the weights' gradients.
    if (const auto bias = item.key().find("k_proj.bias");
        bias != std::string::npos && item.key().starts_with("sam_mask_decoder")) {
      const auto weight = item.key().substr(0, bias) + "k_proj.weight";
      noise += 1e-5 * test::largest(prompter.at("gradient/" + weight));
    }
    EXPECT_TRUE(test::near(got, want, 1e-5 * test::largest(want) + 5 * noise)) << item.key();
    difference += (got - want).square().sum().item<double>();
    length += want.square().sum().item<double>();
    reached += test::largest(want) > 0;
  }
  EXPECT_LT(std::sqrt(difference / length), 1e-5);
  EXPECT_GT(reached, 300) << "gradients that are not 0";
}

INSTANTIATE_TEST_SUITE_P(Prompts, ClipParity, ::testing::Values("mask", "box", "click"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace vostrack::train
