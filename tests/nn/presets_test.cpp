// The published configurations give exactly the networks that the published weights are for.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "nn/network.hpp"
#include "support/shared_data.hpp"

namespace vostrack::nn {
namespace {

nlohmann::json read_json(const std::string& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

class Preset : public ::testing::TestWithParam<std::string> {};

TEST_P(Preset, HasThePublishedNamesAndShapes) {
  Network network(*preset(GetParam()));
  Shapes shapes;
  std::string lines;
  std::int64_t parameters = 0;
  for (const auto& [name, tensor] : weights_of(*network).tensors) {
    shapes[name] = tensor.sizes().vec();
    lines += fmt::format("{} {}\n", name, fmt::join(shapes[name], ","));
    parameters += tensor.numel();
  }
  const auto digest =
      read_json(std::string(VOSTRACK_TEST_DATA) + "/preset_digests.json").at(GetParam());
  EXPECT_EQ(static_cast<std::int64_t>(shapes.size()), digest.at("keys").get<std::int64_t>());
  EXPECT_EQ(parameters, digest.at("parameters").get<std::int64_t>());
  EXPECT_EQ(crc32_z(0, reinterpret_cast<const Bytef*>(lines.data()), lines.size()),
            digest.at("crc32").get<std::uint64_t>());

  const auto shared = test::shared_data("parity/preset_state_dicts.json");
  if (shared.empty()) {
    std::cout << "[  PARTLY  ] without the shared list only its digest is compared\n";
    return;
  }
  const auto want = read_json(shared.string()).at(GetParam()).get<Shapes>();
  for (const auto& [name, shape] : want) {
    const auto it = shapes.find(name);
    if (it == shapes.end())
      ADD_FAILURE() << name << " is missing";
    else
      EXPECT_EQ(it->second, shape) << name;
  }
  for (const auto& [name, shape] : shapes)
    EXPECT_EQ(want.count(name), 1U) << name << " is unexpected";
}

INSTANTIATE_TEST_SUITE_P(All, Preset, ::testing::ValuesIn(preset_names()), [](const auto& info) {
  std::string name = info.param;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = c == '+' ? 'p' : '_';
  return name;
});

TEST(Preset, IsUnknownUnderAnotherName) {
  for (const char* name : {"", "sam2", "sam2_hiera_", "sam2_hiera_x", "sam3_hiera_t", "_hiera_t"})
    EXPECT_FALSE(preset(name).has_value()) << name;
}

/// Only the keys that guess_config looks at.
StateDict recognisable(const ModelConfig& config) {
  StateDict state;
  const auto& background = config.trunk.window_pos_embed_bkg_spatial_size;
  state.tensors["image_encoder.trunk.pos_embed"] =
      torch::zeros({1, config.trunk.embed_dim, background[0], background[1]});
  int depth = 0;
  for (int blocks : config.trunk.stages) depth += blocks;
  for (int i = 0; i < depth; ++i)
    state.tensors[fmt::format("image_encoder.trunk.blocks.{}.norm1.weight", i)] = torch::zeros(1);
  if (config.model.no_obj_embed_spatial)
    state.tensors["no_obj_embed_spatial"] = torch::zeros({1, 64});
  return state;
}

TEST(GuessConfig, FindsEachPresetByItsWeights) {
  for (const std::string& name : preset_names()) {
    const auto guessed = guess_config(recognisable(*preset(name)));
    ASSERT_TRUE(guessed.has_value()) << name;
    EXPECT_EQ(guessed->name, name);
  }
}

TEST(GuessConfig, FindsNothingInOtherWeights) {
  EXPECT_FALSE(guess_config({}).has_value());
  auto wide = recognisable(*preset("sam2_hiera_t"));
  wide.tensors["image_encoder.trunk.pos_embed"] = torch::zeros({1, 100, 7, 7});
  EXPECT_FALSE(guess_config(wide).has_value());
  auto flat = recognisable(*preset("sam2_hiera_t"));
  flat.tensors["image_encoder.trunk.pos_embed"] = torch::zeros({96});
  EXPECT_FALSE(guess_config(flat).has_value());
  auto deep = recognisable(*preset("sam2_hiera_t"));
  deep.tensors["image_encoder.trunk.blocks.12.norm1.weight"] = torch::zeros(1);
  EXPECT_FALSE(guess_config(deep).has_value());
}

}  // namespace
}  // namespace vostrack::nn
