// Parts of the networks against an independent way to compute the same.
#include <gtest/gtest.h>

#include "nn/checkpoint.hpp"
#include "nn/layers.hpp"
#include "nn/network.hpp"
#include "nn/picture_resize.hpp"
#include "nn/position_encoding.hpp"
#include "nn/trunk.hpp"
#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::largest;
using test::near;

TEST(PointwiseConvolution, IsAConvolutionWithItsGradients) {
  torch::manual_seed(1);
  const auto x = torch::randn({3, 5, 4, 6}).requires_grad_(true);
  const auto weight = torch::randn({7, 5, 1, 1}).requires_grad_(true);
  const auto out = pointwise_convolution(x, weight);
  const auto want = torch::conv2d(x, weight);
  EXPECT_TRUE(near(out.detach(), want.detach(), 1e-5));
  const auto direction = torch::randn_like(want);
  const auto gradients = torch::autograd::grad({out}, {x, weight}, {direction});
  const auto wanted = torch::autograd::grad({want}, {x, weight}, {direction});
  EXPECT_TRUE(near(gradients[0], wanted[0], 1e-5));
  EXPECT_TRUE(near(gradients[1], wanted[1], 1e-4));
}

TEST(Rotary, TurnsPairsAsComplexNumbers) {
  torch::manual_seed(1);
  constexpr int kWidth = 3, kHeight = 2, kChannels = 16;
  constexpr double kTheta = 10000;
  const auto x = torch::randn({2, 4, 2 * kWidth * kHeight, kChannels});
  const auto turned = apply_rotary(x, rotary_table(kChannels, kWidth, kHeight, kTheta));

  // The first half of the pairs turns with the column, the second with the row; the second grid of
  // tokens starts again.
  auto angles = torch::empty({2 * kWidth * kHeight, kChannels / 2}, torch::kFloat64);
  for (int token = 0; token < 2 * kWidth * kHeight; ++token)
    for (int pair = 0; pair < kChannels / 2; ++pair) {
      const int cell = token % (kWidth * kHeight);
      const bool column = pair < kChannels / 4;
      const double frequency = std::pow(kTheta, -4.0 * (pair % (kChannels / 4)) / kChannels);
      angles[token][pair] = frequency * (column ? cell % kWidth : cell / kWidth);
    }
  const auto numbers =
      torch::view_as_complex(x.to(torch::kFloat64).reshape({2, 4, -1, kChannels / 2, 2}));
  const auto want =
      torch::view_as_real(numbers * torch::polar(torch::ones_like(angles), angles)).flatten(3);
  EXPECT_TRUE(near(turned, want, 1e-5));
  EXPECT_EQ(apply_rotary(x.to(torch::kBFloat16), rotary_table(16, 3, 2, kTheta)).scalar_type(),
            torch::kBFloat16);
}

TEST(SineEncoding, AlternatesSineAndCosineOfRowsThenColumns) {
  const auto encoding = sine_encoding_2d({}, 8, 3, 5);
  ASSERT_EQ(encoding.sizes(), (std::vector<std::int64_t>{8, 3, 5}));
  const double row = 2 * M_PI * 2 / (3 + 1e-6), column = 2 * M_PI * 4 / (5 + 1e-6);
  const std::vector<double> want = {
      std::sin(row),    std::cos(row),    std::sin(row / 100),    std::cos(row / 100),
      std::sin(column), std::cos(column), std::sin(column / 100), std::cos(column / 100)};
  EXPECT_TRUE(near(encoding.select(1, 1).select(1, 3), torch::tensor(want, torch::kFloat64), 1e-5));
}

/// A trunk with statistics and scales unlike those of a fresh network, which would have no effect.
std::shared_ptr<Trunk> lite0() {
  torch::manual_seed(2);
  TrunkConfig config;
  config.type = "efficientnet_lite0";
  config.output_scale = {1, 0.5, 2, 0.25};
  auto trunk = make_trunk(config);
  torch::NoGradGuard guard;
  for (auto& item : trunk->named_buffers())
    item.key().ends_with("running_var") ? item.value().uniform_(0.5, 2)
                                        : item.value().normal_(0, 0.2);
  for (auto& item : trunk->named_parameters())
    if (item.value().dim() == 1) item.value().uniform_(0.5, 1.5);
  return trunk;
}

TEST(EfficientNetLite0, GivesTheSameWithBatchNormFolded) {
  const auto trunk = lite0();
  torch::InferenceMode guard;
  const auto picture = torch::randn({1, 3, 64, 64});
  const auto plain = trunk->forward(picture);
  trunk->prepare_for_inference(64, torch::kFloat32);
  const auto folded = trunk->forward(picture);
  const std::vector<int> channels = {24, 40, 112, 320};
  EXPECT_EQ(trunk->channels(), channels);
  ASSERT_EQ(folded.size(), 4U);
  for (std::size_t i = 0; i < folded.size(); ++i) {
    const std::int64_t side = 16 >> i;
    EXPECT_EQ(folded[i].sizes(), (std::vector<std::int64_t>{1, channels[i], side, side}));
    EXPECT_GT(largest(plain[i]), 1e-3);
    EXPECT_TRUE(near(folded[i], plain[i], 1e-4 * largest(plain[i]))) << "output " << i;
  }
}

TEST(EfficientNetLite0, GivesTheGradientsOfConvolutionThenBatchNorm) {
  const auto trunk = lite0();
  auto named = trunk->named_parameters();
  const auto buffers = trunk->named_buffers();
  const auto unit = [&](torch::Tensor x, const std::string& name, std::int64_t stride,
                        bool bounded) {
    const auto& weight = named[name + ".0.weight"];
    const auto more = weight.size(2) - stride;
    x = torch::constant_pad_nd(x, {more / 2, more - more / 2, more / 2, more - more / 2});
    x = torch::conv2d(x, weight, {}, stride, at::IntArrayRef({0, 0}), 1,
                      x.size(1) / weight.size(1));
    x = torch::batch_norm(x, named[name + ".1.weight"], named[name + ".1.bias"],
                          buffers[name + ".1.running_mean"], buffers[name + ".1.running_var"],
                          /*training=*/false, 0, TrunkConfig().batch_norm_eps, false);
    return bounded ? torch::relu6(x) : x;
  };
  const auto picture = torch::randn({2, 3, 64, 64});
  auto x = unit(picture, "stem", 2, true);
  x = unit(unit(x, "blocks.0.depthwise", 1, true), "blocks.0.project", 1, false);
  x = unit(unit(x, "blocks.1.expand", 1, true), "blocks.1.depthwise", 2, true);
  x = unit(x, "blocks.1.project", 1, false);
  const auto inner = unit(unit(x, "blocks.2.expand", 1, true), "blocks.2.depthwise", 1, true);
  x = x + unit(inner, "blocks.2.project", 1, false);

  const auto got = trunk->forward(picture)[0];
  EXPECT_TRUE(near(got, x, 1e-5 * largest(x)));
  std::vector<torch::Tensor> weights;
  std::vector<std::string> names;
  for (const auto& item : named)
    for (const char* part : {"stem.", "blocks.0.", "blocks.1.", "blocks.2."})
      if (item.key().starts_with(part)) {
        names.push_back(item.key());
        weights.push_back(item.value());
      }
  ASSERT_EQ(weights.size(), 27U);  // nine units of a weight, a scale and a shift
  const auto toward = torch::randn_like(x);
  const auto want = torch::autograd::grad({x}, weights, {toward});
  const auto gradients = torch::autograd::grad({got}, weights, {toward});
  for (std::size_t i = 0; i < want.size(); ++i)
    EXPECT_TRUE(near(gradients[i], want[i], 2e-5 * largest(want[i]))) << names[i];
}

TEST(PilBicubicResize, GivesPillowsBytes) {
  const auto state =
      read_checkpoint(std::string(VOSTRACK_TEST_DATA) + "/resize/pil_bicubic.safetensors");
  ASSERT_EQ(state.tensors.size(), 16U);
  for (int i = 0; i < 8; ++i) {
    const auto& want = state.tensors.at(std::to_string(i) + ".out");
    const auto got =
        pil_bicubic_resize(state.tensors.at(std::to_string(i) + ".in"),
                           static_cast<int>(want.size(0)), static_cast<int>(want.size(1)));
    EXPECT_EQ(got.scalar_type(), torch::kUInt8);
    EXPECT_TRUE(test::same(got, want)) << "case " << i;
  }
}

}  // namespace
}  // namespace vostrack::nn
