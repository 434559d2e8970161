// Packed linear layers against torch::nn::Linear.
#include "nn/linear.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::largest;
using test::near;
using test::same;

/// Of the largest output. float32: another order of a few hundred sums; bfloat16: eight bits.
double tolerance(torch::ScalarType dtype) {
  return dtype == torch::kFloat32 ? 1e-5 : 1e-2;
}

/// Inputs and outputs: few, with strips of outputs that are not whole, and more than are worked on
/// together.
constexpr std::array<std::pair<int, int>, 3> kSizes = {{{96, 208}, {96, 200}, {450, 800}}};

TEST(Linear, IsTheSameOncePacked) {
  torch::manual_seed(2);
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16})
    for (const auto& [in, out] : kSizes) {
      SCOPED_TRACE(c10::str(dtype, ", ", in, " to ", out));
      torch::InferenceMode guard;
      Linear layer(in, out);
      layer->to(dtype);
      const auto x = torch::randn({2, 50, in}).to(dtype);
      const auto exact = torch::linear(x.to(torch::kFloat64), layer->weight.to(torch::kFloat64),
                                       layer->bias.to(torch::kFloat64));
      layer->prepare_for_inference();
      EXPECT_TRUE(near(layer->forward(x), exact, tolerance(dtype) * largest(exact)));
      for (const auto activation : {Activation::kRelu, Activation::kGelu}) {
        const auto want = activate(exact, activation);
        EXPECT_TRUE(near(layer->forward(x, activation), want, tolerance(dtype) * largest(want)));
      }
    }
}

TEST(Linear, NeedsNoBias) {
  torch::InferenceMode guard;
  torch::manual_seed(7);
  Linear layer(torch::nn::LinearOptions(32, 64).bias(false));
  const auto x = torch::randn({40, 32});
  const auto want = layer->forward(x);
  layer->prepare_for_inference();
  EXPECT_TRUE(near(layer->forward(x), want, 1e-5 * largest(want)));
}

TEST(Linear, TakesTwoLayersAtOnce) {
  torch::InferenceMode guard;
  torch::manual_seed(6);
  for (const auto hidden : {96, 800}) {
    Linear first(64, hidden), second(hidden, 48);
    // Blocks of rows that are not even, in a grid that does not lie row by row.
    const auto x = torch::randn({1, 64, 3, 67}).permute({0, 2, 3, 1});
    for (const auto activation : {Activation::kRelu, Activation::kGelu}) {
      const auto want = second->forward(activate(first->forward(x), activation));
      const auto packed = [](const Linear& plain) {
        Linear layer(plain->weight.size(1), plain->weight.size(0));
        layer->weight.copy_(plain->weight);
        layer->bias.copy_(plain->bias);
        layer->prepare_for_inference();
        return layer;
      };
      Linear packed_first = packed(first), packed_second = packed(second);
      const auto got = packed_first->forward_both(x, activation, *packed_second);
      ASSERT_EQ(got.sizes(), want.sizes());
      EXPECT_TRUE(near(got, want, 1e-5 * largest(want)));
    }
  }
}

TEST(Linear, StaysPlainForAFewRows) {
  torch::InferenceMode guard;
  torch::manual_seed(3);
  Linear layer(64, 48);
  const auto x = torch::randn({1, 9, 64});
  const auto before = layer->forward(x);
  layer->prepare_for_inference();
  EXPECT_TRUE(same(layer->forward(x), before));
}

TEST(Linear, NeedsNoPlainWeightOncePacked) {
  torch::InferenceMode guard;
  torch::manual_seed(5);
  Linear layer(64, 48);
  const auto x = torch::randn({70, 64});
  const auto want = layer->forward(x);
  const auto few = layer->forward(x.slice(0, 0, 5));
  layer->drop_plain_weight();  // not packed: nothing is dropped
  EXPECT_TRUE(same(layer->forward(x), want));
  layer->prepare_for_inference();
  layer->drop_plain_weight();
  EXPECT_EQ(layer->weight.nbytes(), 0U);
  EXPECT_TRUE(near(layer->forward(x), want, 1e-5 * largest(want)));
  EXPECT_TRUE(near(layer->forward(x.slice(0, 0, 5)), few, 1e-5 * largest(want)));
  EXPECT_EQ(layer->forward(x.slice(0, 0, 0)).sizes(), (std::vector<std::int64_t>{0, 48}));
  Linear second(48, 16);
  second->prepare_for_inference();
  const auto none = layer->forward_both(x.slice(0, 0, 0), Activation::kGelu, *second);
  EXPECT_EQ(none.sizes(), (std::vector<std::int64_t>{0, 16}));
}

TEST(Linear, TakesNewWeightsWhereGradientsFlow) {
  torch::manual_seed(4);
  Linear layer(64, 48);
  layer->prepare_for_inference();
  {
    torch::NoGradGuard no_grad;
    layer->weight.zero_();
    layer->bias.fill_(2);
  }
  EXPECT_TRUE(same(layer->forward(torch::randn({40, 64})), torch::full({40, 48}, 2.0F)));
}

}  // namespace
}  // namespace vostrack::nn
