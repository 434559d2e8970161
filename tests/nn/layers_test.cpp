// Layers against LibTorch's in double precision.
#include "nn/layers.hpp"

#include <gtest/gtest.h>

#include "nn/norm.hpp"
#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::near;

torch::Tensor as_double(const torch::Tensor& x) {
  return x.to(torch::kFloat64);
}

/// LayerNorm2d by its definition.
torch::Tensor normalised(LayerNorm2dImpl& norm, const torch::Tensor& x) {
  return torch::layer_norm(as_double(x).permute({0, 2, 3, 1}), {x.size(1)}, as_double(norm.weight),
                           as_double(norm.bias), 1e-6)
      .permute({0, 3, 1, 2});
}

TEST(LayerNorm2d, NormalisesChannelsOfAnyNumberInAnyOrder) {
  torch::InferenceMode guard;
  torch::manual_seed(5);
  // Kernels for powers of two and whole vectors; LibTorch's for 3, 20 and an odd number of rows.
  for (const int channels : {1, 3, 4, 8, 16, 20, 32, 48, 256})
    for (const int side : {5, 8, 36}) {
      LayerNorm2d norm(channels);
      norm->weight.uniform_(-2, 2);
      norm->bias.uniform_(-2, 2);
      const auto plain = torch::randn({2, channels, side, side}) * 3 + 1;
      for (const auto& x : {plain, plain.contiguous(torch::MemoryFormat::ChannelsLast)}) {
        const auto exact = normalised(*norm, x);
        EXPECT_TRUE(near(norm->forward(x), exact, 2e-5)) << channels << " channels, " << side;
        EXPECT_TRUE(near(norm->forward_gelu(x), torch::gelu(exact), 2e-5))
            << channels << " channels, " << side;
        EXPECT_TRUE(near(normalise_few_channels(x, norm->weight, norm->bias), exact, 2e-5))
            << channels << " channels, " << side;
      }
    }
}

TEST(NormKernels, AgreeInAllVariantsOfThisProcessor) {
  torch::InferenceMode guard;
  torch::manual_seed(7);
  if (norm_variants().empty()) GTEST_SKIP() << "this processor has no AVX2";
  for (const NormKernels& kernels : norm_variants())
    for (const int channels : {1, 2, 4, 8, 16, 32, 48, 256}) {
      const auto x = torch::randn({48, channels}) * 3 + 1;
      const auto weight = torch::rand({channels}) * 4 - 2, bias = torch::rand({channels}) * 4 - 2;
      const auto exact = torch::layer_norm(as_double(x), {channels}, as_double(weight),
                                           as_double(bias), 1e-6);
      for (const bool gelu : {false, true}) {
        auto out = torch::empty_like(x);
        kernels.float32(x.const_data_ptr<float>(), 48, channels, weight.const_data_ptr<float>(),
                        bias.const_data_ptr<float>(), 1e-6F, gelu, out.data_ptr<float>());
        EXPECT_TRUE(near(out, gelu ? torch::gelu(exact) : exact, 2e-5))
            << kernels.name << ", " << channels << " channels";
      }
      for (const std::int64_t count : {1, 7, 48}) {
        auto out = torch::zeros({50});
        kernels.gelu(x.const_data_ptr<float>(), count, out.data_ptr<float>());
        EXPECT_TRUE(near(out.slice(0, 0, count),
                         torch::gelu(as_double(x).flatten().slice(0, 0, count)), 1e-6))
            << kernels.name << ", " << count;
        EXPECT_EQ(out.slice(0, count).abs().max().item<float>(), 0) << kernels.name;
      }
      const auto half = x.to(torch::kBFloat16);
      auto rounded = torch::empty_like(half);
      kernels.bfloat16(static_cast<const std::uint16_t*>(half.const_data_ptr()), 48, channels,
                       weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), 1e-6F,
                       /*gelu=*/false, static_cast<std::uint16_t*>(rounded.data_ptr()));
      const auto of_half = torch::layer_norm(as_double(half), {channels}, as_double(weight),
                                             as_double(bias), 1e-6);
      EXPECT_TRUE(((as_double(rounded) - of_half).abs() <= of_half.abs() / 256 + 1e-5)
                      .all()
                      .item<bool>())
          << kernels.name << ", " << channels << " channels in bfloat16";
    }
}

TEST(LayerNorm2d, RoundsOnceInBfloat16) {
  torch::InferenceMode guard;
  torch::manual_seed(6);
  for (const int channels : {4, 16, 20, 64}) {
    LayerNorm2d norm(channels);
    norm->weight.uniform_(-2, 2);
    norm->bias.uniform_(-2, 2);
    norm->to(torch::kBFloat16);
    const auto x = (torch::randn({2, channels, 8, 8}) * 3 + 1).to(torch::kBFloat16);
    const auto exact = normalised(*norm, x);
    const auto got = norm->forward(x);
    ASSERT_EQ(got.scalar_type(), torch::kBFloat16);
    // Half a step of eight bits, and float32's rounding before it.
    EXPECT_TRUE(((as_double(got) - exact).abs() <= exact.abs() / 256 + 1e-5).all().item<bool>())
        << channels << " channels";
    const auto few = normalise_few_channels(x, norm->weight, norm->bias);
    ASSERT_EQ(few.scalar_type(), torch::kBFloat16);
    EXPECT_TRUE(few.is_contiguous(torch::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(((as_double(few) - exact).abs() <= exact.abs() / 256 + 1e-5).all().item<bool>())
        << channels << " channels";
    if (channels == 20) continue;  // LibTorch's, which rounds before GELU too
    const auto gelu = torch::gelu(exact);
    const auto off = (as_double(norm->forward_gelu(x)) - gelu).abs();
    EXPECT_TRUE((off <= gelu.abs() / 256 + 1e-5).all().item<bool>()) << channels << " channels";
  }
}

TEST(LayerNorm2d, LeavesGeluExactFarFromZero) {
  torch::InferenceMode guard;
  LayerNorm2d norm(16);
  norm->weight.fill_(12);
  const auto x = torch::randn({1, 16, 8, 8});
  const auto exact = torch::gelu(normalised(*norm, x));
  const auto got = norm->forward_gelu(x);
  EXPECT_TRUE(near(got, exact, 2e-5));
  EXPECT_TRUE(torch::isfinite(got).all().item<bool>());
}

TEST(LayerNorm2d, HasGradientsInTraining) {
  LayerNorm2d norm(16);
  norm->forward_gelu(torch::randn({1, 16, 4, 4})).sum().backward();
  EXPECT_TRUE(norm->weight.grad().defined());
}

}  // namespace
}  // namespace vostrack::nn
