// Depthwise convolutions and their gradients against LibTorch's in float64.
#include "nn/depthwise.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::largest;
using test::near;
using test::same;

struct Case {
  const char* name;
  std::int64_t channels, height, width, kernel, stride, before, after;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

struct Convolved {
  torch::Tensor out, x, weight, bias;  ///< the last three are gradients
};

struct Scene {
  Scene(const Case& given, torch::ScalarType dtype) : c(given) {
    torch::manual_seed(7);
    x = torch::randn({3, c.channels, c.height, c.width}).to(dtype);
    weight = torch::randn({c.channels, 1, c.kernel, c.kernel});
    bias = torch::randn({c.channels});
    const auto reach = [&](std::int64_t size) {
      return (size + c.before + c.after - c.kernel) / c.stride + 1;
    };
    gradient = torch::randn({3, c.channels, reach(c.height), reach(c.width)}).to(dtype);
  }

  Convolved ours(std::size_t variant) const {
    std::vector<torch::Tensor> inputs;
    for (const auto& input : {x, weight, bias})
      inputs.push_back(input.clone().requires_grad_(true));
    const auto out = depthwise_convolution(inputs[0], inputs[1], inputs[2], c.stride, c.before,
                                           c.after, variant);
    const auto gradients = torch::autograd::grad({out}, inputs, {gradient});
    return {out.detach(), gradients[0], gradients[1], gradients[2]};
  }

  Convolved theirs() const {
    std::vector<torch::Tensor> inputs;
    for (const auto& input : {x, weight.to(x.scalar_type()), bias})
      inputs.push_back(input.to(torch::kFloat64).requires_grad_(true));
    const auto padded =
        torch::constant_pad_nd(inputs[0], {c.before, c.after, c.before, c.after});
    const auto out = torch::conv2d(padded, inputs[1], inputs[2], c.stride,
                                   at::IntArrayRef({0, 0}), 1, c.channels);
    const auto gradients =
        torch::autograd::grad({out}, inputs, {gradient.to(torch::kFloat64)});
    return {out.detach(), gradients[0], gradients[1], gradients[2]};
  }

  Case c;
  torch::Tensor x, weight, bias, gradient;
};

class DepthwiseConvolution : public ::testing::TestWithParam<Case> {};

TEST_P(DepthwiseConvolution, GivesLibTorchsResultAndGradients) {
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    const Scene scene(GetParam(), dtype);
    for (std::size_t variant = 0; variant < depthwise_variants().size(); ++variant) {
      SCOPED_TRACE(std::string(depthwise_variants()[variant].name) + " " + toString(dtype));
      const auto got = scene.ours(variant);
      const auto want = scene.theirs();
      EXPECT_EQ(got.out.scalar_type(), dtype);
      EXPECT_EQ(got.x.scalar_type(), dtype);
      // What is written in bfloat16 is rounded once; gradients of weights stay float32.
      const double rounded = dtype == torch::kBFloat16 ? 1.0 / 256 : 1e-5;
      EXPECT_TRUE(near(got.out, want.out, rounded * largest(want.out)));
      EXPECT_TRUE(near(got.x, want.x, rounded * largest(want.x)));
      EXPECT_TRUE(near(got.weight, want.weight, 1e-5 * largest(want.weight)));
      EXPECT_TRUE(near(got.bias, want.bias, 1e-5 * largest(want.bias)));
    }
  }
}

TEST_P(DepthwiseConvolution, IsTheSameOnAnyNumberOfThreads) {
  const Scene scene(GetParam(), torch::kFloat32);
  const auto threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = scene.ours(0);
  at::set_num_threads(3);
  const auto three = scene.ours(0);
  at::set_num_threads(threads);
  EXPECT_TRUE(same(one.out, three.out));
  EXPECT_TRUE(same(one.x, three.x));
  EXPECT_TRUE(same(one.weight, three.weight));
  EXPECT_TRUE(same(one.bias, three.bias));
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, DepthwiseConvolution,
    ::testing::Values(Case{"three_by_twos", 48, 12, 10, 3, 2, 0, 1},
                      Case{"five", 16, 8, 7, 5, 1, 2, 2},
                      Case{"five_by_twos", 80, 14, 8, 5, 2, 1, 2},
                      Case{"seven", 64, 11, 11, 7, 1, 3, 3},
                      Case{"smaller_than_its_kernel", 16, 2, 3, 5, 1, 2, 2},
                      Case{"three_by_threes", 32, 9, 14, 3, 3, 1, 1},
                      Case{"five_by_threes", 16, 13, 11, 5, 3, 2, 2}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(DepthwiseConvolution, LeavesOtherShapesToLibTorch) {
  const auto x = torch::zeros({1, 32, 4, 4}), weight = torch::zeros({32, 1, 5, 5});
  EXPECT_TRUE(fits_depthwise(x, weight, 1));
  EXPECT_TRUE(fits_depthwise(x, torch::zeros({32, 1, 3, 3}), 2));
  EXPECT_FALSE(fits_depthwise(x, torch::zeros({32, 1, 3, 3}), 1));
  EXPECT_FALSE(fits_depthwise(x.to(torch::kFloat64), weight, 1));
  EXPECT_FALSE(fits_depthwise(torch::zeros({1, 24, 4, 4}), torch::zeros({24, 1, 5, 5}), 1));
  EXPECT_FALSE(fits_depthwise(x, torch::zeros({16, 2, 5, 5}), 1));
  EXPECT_FALSE(fits_depthwise(x, torch::zeros({64, 1, 5, 5}), 1));
  EXPECT_FALSE(fits_depthwise(x, torch::zeros({32, 1, 9, 9}), 1));
}

}  // namespace
}  // namespace vostrack::nn
