// Loading and converting models.
#include <gtest/gtest.h>

#include <cstdlib>

#include "sdk/small_checkpoint.hpp"
#include "support/errors.hpp"
#include "support/tensors.hpp"

namespace vostrack::test {
namespace {

TEST(ModelLoad, SaysWhatIsWrong) {
  const TemporaryFolder folder;
  const auto good = write_small_checkpoint(folder);
  write_bytes(folder / "text.pt", "these are no weights at all");
  ModelOptions options;
  expect_error(ErrorCode::kNotFound, "nowhere.pt", [&] { Model::load(folder / "nowhere.pt"); });
  expect_error(ErrorCode::kUnsupported, "text.pt: neither",
               [&] { Model::load(folder / "text.pt"); });
  options.config = "sam9_hiera_xxl";
  expect_error(ErrorCode::kNotFound, "sam9_hiera_xxl: neither a file nor a preset",
               [&] { Model::load(good, options); });
  options.config = "sam2.1_hiera_t";
  expect_error(ErrorCode::kModelMismatch, "keys do not fit the configuration",
               [&] { Model::load(good, options); });
  options = {};
  options.device = "gpu";
  expect_error(ErrorCode::kInvalidArgument, "device is gpu", [&] { Model::load(good, options); });
  options.device = "cuda:99";
  expect_error(ErrorCode::kUnsupported, "cuda:99", [&] { Model::load(good, options); });
  options = {};
  options.image_size = 100;
  expect_error(ErrorCode::kInvalidArgument, "image_size is 100",
               [&] { Model::load(good, options); });
  options = {};
  options.memory_precision = Precision::kInt8;
  expect_error(ErrorCode::kInvalidArgument, "memory_precision is int8",
               [&] { Model::load(good, options); });
  options = {};
  options.image_size = -64;
  expect_error(ErrorCode::kInvalidArgument, "image_size is -64",
               [&] { Model::load(good, options); });
}

TEST(ModelLoad, TakesTheConfigurationFromHeaderOrFile) {
  const TemporaryFolder folder;
  const auto path = write_small_checkpoint(folder);
  const Model model = Model::load(path);
  EXPECT_EQ(model.name(), "small");
  EXPECT_EQ(model.image_size(), 64);
  EXPECT_EQ(model.path(), path);
  auto named = small_config();
  named.name = "named";
  write_bytes(folder / "config.json", nn::config_to_json(named));
  ModelOptions options;
  options.config = folder / "config.json";
  options.image_size = 96;
  const Model other = Model::load(path, options);
  EXPECT_EQ(other.name(), "named");
  EXPECT_EQ(other.image_size(), 96);
}

TEST(ModelLoad, CountsEveryParameterOnce) {
  std::int64_t want = 0, got = 0;
  for (const auto& [name, tensor] : small_weights(small_config()).tensors) want += tensor.numel();
  for (const auto& part : load_small_model().parts()) got += part.parameters;
  EXPECT_EQ(got, want);
}

TEST(DefaultModel, HasItsConfigurationInTheHeader) {
  const auto state = nn::read_checkpoint(Model::default_path());
  ASSERT_EQ(state.metadata.count("config"), 1U);
  const Model model = Model::load_default();
  EXPECT_EQ(model.path(), Model::default_path());
  EXPECT_EQ(model.config_json(),
            nn::config_to_json(nn::config_from_json(state.metadata.at("config"))));
}

TEST(DefaultModel, IsTheOneThatTheEnvironmentNames) {
  const TemporaryFolder folder;
  const auto path = write_small_checkpoint(folder);
  ::setenv("VOSTRACK_MODEL", path.c_str(), 1);
  const std::string name = Model::load_default().name();
  ::setenv("VOSTRACK_MODEL", "/no/such/model", 1);
  expect_error(ErrorCode::kNotFound, "/no/such/model", [] { Model::load_default(); });
  ::unsetenv("VOSTRACK_MODEL");
  EXPECT_EQ(name, "small");
}

TEST(ConvertCheckpoint, KeepsWeightsAndConfiguration) {
  const TemporaryFolder folder;
  auto state = small_weights(small_config());
  nn::write_safetensors(folder / "bare.safetensors", state);  // no configuration in its header
  write_bytes(folder / "config.json", nn::config_to_json(small_config()));
  convert_checkpoint(folder / "bare.safetensors", folder / "full.safetensors", /*half=*/false,
                     folder / "config.json");
  convert_checkpoint(folder / "full.safetensors", folder / "half.safetensors", /*half=*/true);

  const auto full = nn::read_checkpoint(folder / "full.safetensors");
  const auto half = nn::read_checkpoint(folder / "half.safetensors");
  ASSERT_EQ(full.tensors.size(), state.tensors.size());
  ASSERT_EQ(half.tensors.size(), state.tensors.size());
  for (const auto& [name, tensor] : state.tensors) {
    EXPECT_TRUE(same(full.tensors.at(name), tensor)) << name;
    EXPECT_EQ(half.tensors.at(name).scalar_type(), torch::kFloat16) << name;
    EXPECT_TRUE(same(half.tensors.at(name), tensor.to(torch::kFloat16))) << name;
  }
  EXPECT_EQ(Model::load(folder / "half.safetensors").config_json(),
            nn::config_to_json(small_config()));
}

TEST(ConvertCheckpoint, WritesNothingThatCouldNotBeReadAgain) {
  const TemporaryFolder folder;
  auto state = small_weights(small_config());
  state.metadata["config"] = nn::config_to_json(small_config());
  state.tensors.erase("no_mem_embed");
  nn::write_safetensors(folder / "broken.safetensors", state);
  expect_error(ErrorCode::kModelMismatch, "missing no_mem_embed", [&] {
    convert_checkpoint(folder / "broken.safetensors", folder / "out.safetensors", false);
  });
  EXPECT_EQ(folder.names(), (std::vector<std::string>{"broken.safetensors"}));
}

}  // namespace
}  // namespace vostrack::test
