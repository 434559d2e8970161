#include "nn/hugging_face_names.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "checkpoint_support.hpp"
#include "support/shared_data.hpp"

namespace vostrack::nn::test {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Names of transformers' Sam2VideoModel and the official ones of the same weights, for the first
/// layers of SAM 2.1 tiny; biases follow their weights.
Pairs known_pairs() {
  Pairs pairs;
  std::ifstream lines(data_file("hugging_face_names.tsv"));
  for (std::string theirs, official; lines >> theirs >> official;) {
    pairs.emplace_back(theirs, official);
    if (!theirs.ends_with(".weight")) continue;
    const auto bias = [](const std::string& name) {
      return name.substr(0, name.size() - 6) + "bias";
    };
    pairs.emplace_back(bias(theirs), bias(official));
  }
  return pairs;
}

/// The same weights under Hugging Face names, told from the official names by the way in which
/// transformers structures its modules: written on its own, to check the table against.
std::string hugging_face_name(std::string name) {
  static const std::pair<std::regex, const char*> rules[] = {
      {std::regex(R"(^image_encoder\.neck\.convs\.(\d+)\.conv\.)"),
       "vision_encoder.neck.convs.$1."},
      {std::regex(R"(^image_encoder\.trunk\.)"), "vision_encoder.backbone."},
      {std::regex(R"(patch_embed\.proj\.)"), "patch_embed.projection."},
      {std::regex(R"((blocks|transformer\.layers)\.(\d+)\.mlp\.layers\.0)"), "$1.$2.mlp.proj_in"},
      {std::regex(R"((blocks|transformer\.layers)\.(\d+)\.mlp\.layers\.1)"), "$1.$2.mlp.proj_out"},
      {std::regex(R"((mlps\.\d+|prediction_head|score_head|ptr_proj)\.layers\.0\.)"),
       "$1.proj_in."},
      {std::regex(R"((mlps\.\d+|prediction_head|score_head|ptr_proj)\.layers\.1\.)"),
       "$1.layers.0."},
      {std::regex(R"((mlps\.\d+|prediction_head|score_head|ptr_proj)\.layers\.2\.)"),
       "$1.proj_out."},
      {std::regex(R"(^sam_(prompt_encoder|mask_decoder)\.)"), "$1."},
      {std::regex(R"(pe_layer\.positional_encoding_gaussian_matrix$)"),
       "shared_embedding.positional_embedding"},
      {std::regex(R"(mask_downscaling\.0)"), "mask_embed.conv1"},
      {std::regex(R"(mask_downscaling\.1)"), "mask_embed.layer_norm1"},
      {std::regex(R"(mask_downscaling\.3)"), "mask_embed.conv2"},
      {std::regex(R"(mask_downscaling\.4)"), "mask_embed.layer_norm2"},
      {std::regex(R"(mask_downscaling\.6)"), "mask_embed.conv3"},
      {std::regex(R"(output_upscaling\.0)"), "upscale_conv1"},
      {std::regex(R"(output_upscaling\.1)"), "upscale_layer_norm"},
      {std::regex(R"(output_upscaling\.3)"), "upscale_conv2"},
      {std::regex(R"(^memory_encoder\.out_proj)"), "memory_encoder.projection"},
      {std::regex(R"(^memory_encoder\.pix_feat_proj)"), "memory_encoder.feature_projection"},
      {std::regex(R"(mask_downsampler\.encoder\.12)"), "mask_downsampler.final_conv"},
      {std::regex(R"(downsampler\.encoder\.0)"), "downsampler.layers.0.conv"},
      {std::regex(R"(downsampler\.encoder\.3)"), "downsampler.layers.1.conv"},
      {std::regex(R"(downsampler\.encoder\.6)"), "downsampler.layers.2.conv"},
      {std::regex(R"(downsampler\.encoder\.9)"), "downsampler.layers.3.conv"},
      {std::regex(R"(downsampler\.encoder\.10)"), "downsampler.layers.3.layer_norm"},
      {std::regex(R"(downsampler\.encoder\.1\.)"), "downsampler.layers.0.layer_norm."},
      {std::regex(R"(downsampler\.encoder\.4)"), "downsampler.layers.1.layer_norm"},
      {std::regex(R"(downsampler\.encoder\.7)"), "downsampler.layers.2.layer_norm"},
      {std::regex(R"(\.fuser\.)"), ".memory_fuser."},
      {std::regex(R"(\.gamma$)"), ".scale"},
      {std::regex(R"(\.dwconv\.)"), ".depthwise_conv."},
      {std::regex(R"(\.pwconv)"), ".pointwise_conv"},
      {std::regex(R"(\.norm)"), ".layer_norm"},
      {std::regex(R"(\.out_proj\.)"), ".o_proj."},
      {std::regex("^no_mem_embed$"), "no_memory_embedding"},
      {std::regex("^no_mem_pos_enc$"), "no_memory_positional_encoding"},
      {std::regex("^no_obj_ptr$"), "no_object_pointer"},
      {std::regex("^no_obj_embed_spatial$"), "occlusion_spatial_embedding_parameter"},
      {std::regex("^maskmem_tpos_enc$"), "memory_temporal_positional_encoding"},
      {std::regex(R"(^obj_ptr_tpos_proj\.)"), "temporal_positional_encoding_projection_layer."},
      {std::regex(R"(^obj_ptr_proj\.)"), "object_pointer_proj."},
  };
  for (const auto& [pattern, replacement] : rules)
    name = std::regex_replace(name, pattern, replacement);
  return name;
}

/// Puts a state dict into Hugging Face's form.
StateDict to_hugging_face(const StateDict& official) {
  StateDict theirs;
  std::vector<torch::Tensor> points;
  for (const auto& [name, tensor] : official.tensors) {
    if (name.starts_with("sam_prompt_encoder.point_embeddings."))
      points.push_back(tensor);
    else
      theirs.tensors[hugging_face_name(name)] = tensor;
  }
  theirs.tensors["prompt_encoder.point_embed.weight"] = torch::cat(points);
  theirs.tensors["shared_image_embedding.positional_embedding"] =
      theirs.tensors.at("prompt_encoder.shared_embedding.positional_embedding");
  return theirs;
}

TEST(HuggingFaceNames, BecomeTheOfficialOnes) {
  const Pairs pairs = known_pairs();
  ASSERT_GT(pairs.size(), 150U);
  StateDict theirs, want;
  float number = 0;
  for (const auto& [name, official] : pairs)
    theirs.tensors[name] = want.tensors[official] = torch::full({2}, ++number);
  expect_same_tensors(from_hugging_face(theirs), want);
}

TEST(HuggingFaceNames, CoverEveryPublishedPreset) {
  const auto path = vostrack::test::shared_data("parity/preset_state_dicts.json");
  if (path.empty()) GTEST_SKIP() << "the shared list of presets is not here";
  const auto presets = nlohmann::json::parse(read_file(path.string()));
  for (const auto& [preset, shapes] : presets.items()) {
    SCOPED_TRACE(preset);
    StateDict official;
    float number = 0;
    for (const auto& [name, shape] : shapes.items())
      official.tensors[name] =
          torch::full({1}, ++number).expand(shape.get<std::vector<std::int64_t>>());
    const StateDict theirs = to_hugging_face(official);
    ASSERT_TRUE(has_hugging_face_names(theirs));
    ASSERT_FALSE(has_hugging_face_names(official));
    const StateDict got = from_hugging_face(theirs);
    ASSERT_EQ(got.tensors.size(), official.tensors.size());
    for (const auto& [name, tensor] : official.tensors) {
      ASSERT_TRUE(got.tensors.contains(name)) << name;
      ASSERT_EQ(got.tensors.at(name).sizes(), tensor.sizes()) << name;
      ASSERT_EQ(got.tensors.at(name).flatten()[0].item<float>(), tensor.flatten()[0].item<float>())
          << name;
    }
  }
}

StateDict prompt_encoder() {
  StateDict state;
  state.tensors["vision_encoder.backbone.pos_embed"] = torch::ones(1);
  state.tensors["prompt_encoder.point_embed.weight"] = counted({4, 6});
  return state;
}

TEST(HuggingFaceNames, SplitThePointEmbeddings) {
  const StateDict got = from_hugging_face(prompt_encoder());
  for (int i = 0; i < 4; ++i) {
    const auto& point =
        got.tensors.at(fmt::format("sam_prompt_encoder.point_embeddings.{}.weight", i));
    EXPECT_TRUE(torch::equal(point, counted({4, 6}).slice(0, i, i + 1)));
  }
}

TEST(HuggingFaceNames, TakeThePositionsFromEitherPlace) {
  const std::string official = "sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix";
  for (const char* name : {"shared_image_embedding.positional_embedding",
                           "prompt_encoder.shared_embedding.positional_embedding"}) {
    StateDict state = prompt_encoder();
    state.tensors[name] = counted({2, 3});
    const StateDict got = from_hugging_face(state);
    EXPECT_TRUE(torch::equal(got.tensors.at(official), counted({2, 3}))) << name;
    EXPECT_EQ(got.tensors.size(), 6U);
  }
}

TEST(HuggingFaceNames, KeepUnknownNamesAndMetadata) {
  StateDict state = prompt_encoder();
  state.tensors["something.else"] = torch::ones(1);
  state.metadata["format"] = "pt";
  const StateDict got = from_hugging_face(state);
  EXPECT_TRUE(got.tensors.contains("something.else"));
  EXPECT_EQ(got.metadata.at("format"), "pt");
}

TEST(HuggingFaceNames, RefuseTwoTensorsOfOneName) {
  StateDict state = prompt_encoder();
  state.tensors["no_mem_embed"] = state.tensors["no_memory_embedding"] = torch::ones(1);
  EXPECT_THROW(from_hugging_face(state), Error);
}

TEST(HuggingFaceNames, AreToldByReadCheckpoint) {
  const TemporaryFolder folder;
  write_safetensors(folder / "model.safetensors", prompt_encoder());
  const StateDict got = read_checkpoint(folder / "model.safetensors");
  EXPECT_TRUE(got.tensors.contains("image_encoder.trunk.pos_embed"));
}

}  // namespace
}  // namespace vostrack::nn::test
