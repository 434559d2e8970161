// Linear layers on 8-bit numbers against exact ones.
#include "nn/int8_linear.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/linear.hpp"
#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::near;
using test::same;

class Int8 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!Int8Linear::available()) GTEST_SKIP() << "this processor has no AVX-512 VNNI";
    torch::manual_seed(5);
  }
  torch::InferenceMode guard_;
};

/// Layers of 6 rows and 64 columns at a time, and what is left over.
struct Size {
  std::int64_t rows, in, out;
};
constexpr Size kSizes[] = {{1, 16, 16},   {6, 32, 64},    {97, 48, 80},
                           {13, 96, 288}, {211, 144, 96}, {200, 1536, 176}};

/// Distance of neighbouring 8-bit numbers for each row: (rows, 1), and for each output: (1, out).
torch::Tensor step_of_rows(const torch::Tensor& x) {
  return (x.amax(1, true).clamp_min(0) - x.amin(1, true).clamp_max(0)) / 255;
}
torch::Tensor step_of_outputs(const torch::Tensor& weight) {
  return (weight.abs().amax(1) / 127).unsqueeze(0);
}

struct Case {
  torch::Tensor x, weight, bias;  ///< float64, of numbers that the layer's input dtype has

  explicit Case(const Size& size, torch::ScalarType dtype = torch::kFloat32) {
    // Rows and outputs of very different sizes, one of them zero.
    const auto scales = [](std::int64_t count) { return torch::exp(2 * torch::randn({count, 1})); };
    x = ((torch::randn({size.rows, size.in}) + 0.5) * scales(size.rows)).to(dtype);
    x[0].zero_();
    weight = torch::randn({size.out, size.in}) * scales(size.out);
    bias = torch::randn({size.out});
    x = x.to(torch::kFloat64), weight = weight.to(torch::kFloat64);
    bias = bias.to(torch::kFloat64);
  }

  torch::Tensor exact() const { return torch::linear(x, weight, bias); }
  torch::Tensor quantised(torch::ScalarType dtype, Int8Then then = Int8Then::kNothing) const {
    return Int8Linear(weight, bias).forward(x.to(dtype), then);
  }
};

TEST_F(Int8, IsExactWhereNothingIsRounded) {
  for (const auto& [rows, in, out] : kSizes) {
    // Whole numbers from −100 to 155 and from −127 to 127, all ends of which occur.
    auto x = torch::randint(-100, 156, {rows, in}).to(torch::kFloat32);
    x.select(1, 3).fill_(-100);
    x.select(1, in - 1).fill_(155);
    auto weight = torch::randint(-127, 128, {out, in}).to(torch::kFloat32);
    weight.select(1, 5).fill_(-127);
    const auto bias = torch::randint(-9, 9, {out}).to(torch::kFloat32);
    const auto want =
        torch::linear(x.to(torch::kFloat64), weight.to(torch::kFloat64), bias.to(torch::kFloat64));
    ASSERT_LT(test::largest(want), 1 << 24);  // all of them floats
    EXPECT_TRUE(same(Int8Linear(weight, bias).forward(x, Int8Then::kNothing), want))
        << fmt::format("{} rows, {} to {}", rows, in, out);
  }
}

TEST_F(Int8, IsOffByHalfAStepOfInputAndWeightAtMost) {
  for (const auto& size : kSizes)
    for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
      const Case layer(size, dtype);
      const auto half_row = step_of_rows(layer.x) / 2, half_out = step_of_outputs(layer.weight) / 2;
      // Σ |x − x'| |w'| + |x| |w − w'|, where |w'| is |w| and half a step at most.
      auto bound = half_row * (layer.weight.abs().sum(1) + half_out * size.in) +
                   half_out * layer.x.abs().sum(1, true);
      // Steps, sums and the bias are floats; outputs have the input's dtype.
      const auto exact = layer.exact();
      bound = bound * (1 + 1e-4) + (dtype == torch::kBFloat16 ? 1.0 / 256 : 1e-6) * exact.abs() +
              1e-6 * layer.bias.abs();
      const auto got = layer.quantised(dtype);
      EXPECT_EQ(got.scalar_type(), dtype);
      const auto off = (got.to(torch::kFloat64) - exact).abs();
      EXPECT_TRUE((off <= bound).all().item<bool>())
          << fmt::format("{} rows, {} to {}: {} of the bound", size.rows, size.in, size.out,
                         (off / bound).max().item<double>());
    }
}

TEST_F(Int8, IsOffAsMuchAsRoundingIs) {
  for (const Size& size : {Size{211, 144, 96}, Size{200, 1536, 176}}) {
    const Case layer(size);
    // Rounding to steps has a variance of a twelfth of the step's square.
    const auto variance = (step_of_rows(layer.x).square() * layer.weight.square().sum(1) +
                           step_of_outputs(layer.weight).square() * layer.x.square().sum(1, true)) /
                          12;
    const auto off = layer.quantised(torch::kFloat32).to(torch::kFloat64) - layer.exact();
    const auto rows = torch::indexing::Slice(1, torch::indexing::None);  // the first is zero
    const double ratio = std::sqrt((off.square() / variance).index({rows}).mean().item<double>());
    EXPECT_GT(ratio, 0.9);
    EXPECT_LT(ratio, 1.1);
  }
}

TEST_F(Int8, AppliesActivations) {
  const Case layer({97, 48, 80});
  const auto plain = layer.quantised(torch::kFloat32);
  ASSERT_GT(test::largest(plain), 8);
  EXPECT_TRUE(same(layer.quantised(torch::kFloat32, Int8Then::kRelu), torch::relu(plain)));
  EXPECT_TRUE(near(layer.quantised(torch::kFloat32, Int8Then::kGelu), torch::gelu(plain),
                   1e-4 + 1e-6 * test::largest(plain)));
}

TEST_F(Int8, GivesTheBiasForZeros) {
  const Case layer({97, 48, 80});
  const auto bias = layer.bias.to(torch::kFloat32);
  EXPECT_TRUE(same(layer.quantised(torch::kFloat32)[0], bias));
  EXPECT_TRUE(same(Int8Linear(torch::zeros({80, 48}), bias)
                       .forward(layer.x.to(torch::kFloat32), Int8Then::kNothing),
                   bias.expand({97, 80})));
  EXPECT_TRUE(same(Int8Linear(torch::zeros({80, 48}), {})
                       .forward(layer.x.to(torch::kFloat32), Int8Then::kNothing),
                   torch::zeros({97, 80})));
}

TEST_F(Int8, TakesNumbersTooSmallForSteps) {
  const auto tiny = torch::full({6, 48}, 1e-42F);
  EXPECT_TRUE(same(Int8Linear(torch::randn({80, 48}), {}).forward(tiny, Int8Then::kNothing),
                   torch::zeros({6, 80})));
  EXPECT_TRUE(same(Int8Linear(tiny.expand({6, 48}).repeat({8, 1}), {})
                       .forward(torch::randn({6, 48}), Int8Then::kNothing),
                   torch::zeros({6, 48})));
}

TEST_F(Int8, TakesNoRows) {
  const Int8Linear linear(torch::randn({80, 48}), {});
  EXPECT_EQ(linear.forward(torch::empty({0, 48}), Int8Then::kNothing).sizes(),
            (std::vector<std::int64_t>{0, 80}));
}

TEST_F(Int8, TreatsARowTheSameWhateverIsBesideIt) {
  const Case layer({211, 144, 96});
  const auto x = layer.x.to(torch::kFloat32);
  const auto all = layer.quantised(torch::kFloat32);
  const Int8Linear linear(layer.weight, layer.bias);
  EXPECT_TRUE(
      same(linear.forward(x.slice(0, 100, 141), Int8Then::kNothing), all.slice(0, 100, 141)));
  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 2 : 1);
  EXPECT_TRUE(same(linear.forward(x, Int8Then::kNothing), all));
  at::set_num_threads(threads);
}

TEST_F(Int8, TakesAnyShapeAndStrides) {
  const Case layer({96, 48, 80});
  const auto x = layer.x.to(torch::kFloat32);
  const auto all = layer.quantised(torch::kFloat32);
  const Int8Linear linear(layer.weight, layer.bias);
  EXPECT_TRUE(
      same(linear.forward(x.view({2, 6, 8, 48}), Int8Then::kNothing), all.view({2, 6, 8, 80})));
  const auto across = x.t().contiguous().t();
  EXPECT_TRUE(same(linear.forward(across, Int8Then::kNothing), all));
}

TEST_F(Int8, RunsTwoLayersAsOneAfterTheOther) {
  const Case layer({211, 144, 288});
  const Int8Linear first(layer.weight, layer.bias);
  const Int8Linear second(torch::randn({144, 288}), torch::randn({144}));
  const auto x = layer.x.to(torch::kFloat32);
  for (const auto then : {Int8Then::kRelu, Int8Then::kGelu})
    EXPECT_TRUE(same(Int8Linear::forward_both(x, first, then, second),
                     second.forward(first.forward(x, then), Int8Then::kNothing)));
  const auto half = x.to(torch::kBFloat16);
  const auto both = Int8Linear::forward_both(half, first, Int8Then::kGelu, second);
  EXPECT_EQ(both.scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(
      same(both, Int8Linear::forward_both(half.to(torch::kFloat32), first, Int8Then::kGelu, second)
                     .to(torch::kBFloat16)));
}

TEST_F(Int8, FitsWholeVectorsOnly) {
  EXPECT_TRUE(Int8Linear::fits(torch::zeros({16, 112})));
  EXPECT_FALSE(Int8Linear::fits(torch::zeros({8, 16})));
  EXPECT_FALSE(Int8Linear::fits(torch::zeros({16, 24})));
}

TEST_F(Int8, IsTakenByALinearLayerForManyRows) {
  Linear layer(64, 48), second(48, 32);
  const auto x = torch::randn({1, 40, 64});
  const auto few = x.slice(1, 0, 31);
  const auto exact = layer->forward(x), exact_few = layer->forward(few);
  layer->quantise_for_inference();
  second->quantise_for_inference();
  const Int8Linear want(layer->weight, layer->bias), want_second(second->weight, second->bias);
  for (const bool packed : {false, true}) {
    if (packed) layer->prepare_for_inference();
    EXPECT_TRUE(same(layer->forward(x), want.forward(x, Int8Then::kNothing)));
    EXPECT_FALSE(same(layer->forward(x), exact));
    EXPECT_TRUE(same(layer->forward(x, Activation::kGelu), want.forward(x, Int8Then::kGelu)));
    EXPECT_TRUE(same(layer->forward_both(x, Activation::kRelu, *second),
                     Int8Linear::forward_both(x, want, Int8Then::kRelu, want_second)));
    EXPECT_TRUE(same(layer->forward(few), exact_few));
  }
}

TEST_F(Int8, StaysAsItIsWhenTheLayerIsConverted) {
  Linear layer(64, 48);
  layer->quantise_for_inference();
  const auto x = torch::randn({40, 64});
  const auto before = layer->forward(x);
  layer->to(torch::kBFloat16);
  EXPECT_TRUE(same(layer->forward(x), before));
}

TEST_F(Int8, IsLeftAloneWhereSizesDoNotFit) {
  Linear layer(24, 48);
  const auto x = torch::randn({40, 24});
  const auto before = layer->forward(x);
  layer->quantise_for_inference();
  EXPECT_TRUE(same(layer->forward(x), before));
}

TEST(Int8Training, NeverSeesIt) {
  if (!Int8Linear::available()) GTEST_SKIP() << "this processor has no AVX-512 VNNI";
  torch::manual_seed(6);
  Linear layer(64, 48);
  layer->quantise_for_inference();
  const auto x = torch::randn({40, 64});
  EXPECT_TRUE(same(layer->forward(x), torch::linear(x, layer->weight, layer->bias)));
  EXPECT_TRUE(layer->forward(x).requires_grad());
}

}  // namespace
}  // namespace vostrack::nn
