// Weights are loaded strictly, or not at all.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "support/errors.hpp"
#include "support/small_model.hpp"
#include "support/tensors.hpp"

namespace vostrack::nn {
namespace {

using test::same;
using test::small_config;
using test::small_weights;
using ::testing::HasSubstr;

TEST(LoadWeights, CopiesEveryTensor) {
  const auto state = small_weights(small_config(), 2);
  torch::manual_seed(3);
  Network network(small_config());
  load_weights(*network, state, "file");
  const auto loaded = weights_of(*network);
  ASSERT_EQ(loaded.tensors.size(), state.tensors.size());
  for (const auto& [name, tensor] : state.tensors)
    EXPECT_TRUE(same(loaded.tensors.at(name), tensor)) << name;
}

TEST(LoadWeights, NamesEveryKeyThatDoesNotFitAndChangesNothing) {
  Network network(small_config());
  StateDict before;
  for (const auto& [name, tensor] : weights_of(*network).tensors)
    before.tensors[name] = tensor.clone();

  auto state = small_weights(small_config(), 2);
  state.tensors.erase("maskmem_tpos_enc");
  state.tensors.erase("memory_encoder.out_proj.bias");
  state.tensors["no_mem_embed"] = torch::zeros({1, 2, 16});
  state.tensors["extra.one"] = torch::zeros({3});
  state.tensors["extra.two"] = torch::zeros({});
  try {
    load_weights(*network, state, "weights.pt");
    FAIL() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kModelMismatch);
    for (const char* text :
         {"weights.pt: 5 keys", "missing maskmem_tpos_enc (7, 1, 1, 8)",
          "missing memory_encoder.out_proj.bias (8)", "no_mem_embed is (1, 2, 16), want (1, 1, 32)",
          "unexpected extra.one (3)", "unexpected extra.two ()"})
      EXPECT_THAT(error.what(), HasSubstr(text));
  }
  for (const auto& [name, tensor] : weights_of(*network).tensors)
    EXPECT_TRUE(same(tensor, before.tensors.at(name))) << name;
}

TEST(LoadWeights, NamesTheFirstOfManyKeysThatDoNotFit) {
  Network network(small_config());
  const auto wanted = weights_of(*network).tensors.size();
  ASSERT_GT(wanted, 100U);
  test::expect_error(ErrorCode::kModelMismatch, fmt::format("; and {} more", wanted - 20),
                     [&] { load_weights(*network, {}, "weights.pt"); });
}

TEST(LoadWeights, RefusesWhatIsNotFinite) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto state = small_weights(small_config());
    state.tensors.at("no_mem_embed").view({-1})[7] = bad;
    Network network(small_config());
    test::expect_error(ErrorCode::kModelMismatch, "no_mem_embed holds NaN or infinity",
                       [&] { load_weights(*network, state, "file"); });
  }
}

TEST(LoadWeights, TakesHalfPrecision) {
  auto state = small_weights(small_config());
  auto half = state;
  for (auto& [name, tensor] : half.tensors) tensor = tensor.to(torch::kFloat16);
  Network network(small_config());
  load_weights(*network, half, "file");
  EXPECT_EQ(network->no_mem_embed.scalar_type(), torch::kFloat32);
  EXPECT_TRUE(same(network->no_mem_embed.detach(), half.tensors.at("no_mem_embed")));
}

}  // namespace
}  // namespace vostrack::nn
