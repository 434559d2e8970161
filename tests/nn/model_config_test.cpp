// Configurations as JSON: what is read, what is refused, and in which words.
#include "nn/model_config.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/errors.hpp"

namespace vostrack::nn {
namespace {

void expect_refused(const std::string& json, const std::string& text) {
  SCOPED_TRACE(json);
  test::expect_error(ErrorCode::kInvalidArgument, text, [&] { config_from_json(json); });
}

TEST(ModelConfig, SurvivesTheWayThroughJson) {
  for (const std::string& name : preset_names()) {
    const std::string text = config_to_json(*preset(name));
    EXPECT_EQ(config_to_json(config_from_json(text)), text) << name;
  }
  ModelConfig odd = *preset("sam2_hiera_t");
  odd.trunk.type = "efficientnet_lite0";
  odd.trunk.output_scale = {0.1, 2.5, 1.0 / 3, 1};
  odd.neck.fpn_top_down_levels.reset();
  odd.neck.position_encoding.scale = 1.25;
  odd.resize = ResizeFilter::kPilBicubicU8;
  odd.pixel_std = {0.3, 1, 7};
  odd.model.max_cond_frames_in_attn = 4;
  const ModelConfig back = config_from_json(config_to_json(odd));
  EXPECT_EQ(config_to_json(back), config_to_json(odd));
  EXPECT_EQ(back.trunk.output_scale, odd.trunk.output_scale);
  EXPECT_FALSE(back.neck.fpn_top_down_levels.has_value());
  EXPECT_EQ(back.neck.position_encoding.scale, 1.25);
  EXPECT_EQ(back.resize, ResizeFilter::kPilBicubicU8);
}

TEST(ModelConfig, WritesTheReferencesNames) {
  const auto json = nlohmann::json::parse(config_to_json(*preset("sam2.1_hiera_b+")));
  EXPECT_EQ(json.at("model").at("num_maskmem"), 7);
  EXPECT_EQ(
      json.at("model").at("sam_mask_decoder_extra_args").at("dynamic_multimask_via_stability"),
      true);
  EXPECT_EQ(json.at("predictor").at("fill_hole_area"), 8);
  EXPECT_EQ(json.at("trunk").at("window_pos_embed_bkg_spatial_size"), (std::vector{14, 14}));
}

TEST(ModelConfig, HasTheConstructorsDefaultsForAbsentKeys) {
  const ModelConfig config = config_from_json(R"({"image_size": 1024})");
  EXPECT_EQ(config.image_size, 1024);
  EXPECT_EQ(config.model.sigmoid_scale_for_mem_enc, 1.0);  // the presets': 20
  EXPECT_FALSE(config.model.use_obj_ptrs_in_encoder);
  EXPECT_FALSE(config.predictor.add_all_frames_to_correct_as_cond);
  EXPECT_EQ(config.model.max_cond_frames_in_attn, -1);
  EXPECT_FALSE(config.neck.fpn_top_down_levels.has_value());
  EXPECT_EQ(config_to_json(config_from_json(R"({"model": null, "neck": {"scalp": 1}})")),
            config_to_json(config_from_json("{}")));
}

TEST(ModelConfig, NamesAnUnknownKey) {
  expect_refused(R"({"imagesize": 512})", "config.imagesize is unknown");
  expect_refused(R"({"model": {"num_maskmen": 7}})", "config.model.num_maskmen is unknown");
  expect_refused(R"({"memory_encoder": {"fuser": {"depth": 1}}})",
                 "config.memory_encoder.fuser.depth is unknown");
}

TEST(ModelConfig, NamesAFieldOfAnotherType) {
  expect_refused("[]", "config is array, want an object");
  expect_refused("7", "config is number, want an object");
  expect_refused("{", "not JSON");
  expect_refused(R"({"model": 3})", "config.model is number, want an object");
  expect_refused(R"({"image_size": "512"})", "config.image_size");
  expect_refused(R"({"image_size": 512.5})", "config.image_size");
  expect_refused(R"({"image_size": true})", "config.image_size");
  expect_refused(R"({"image_size": null})", "config.image_size");
  expect_refused(R"({"image_size": 4294967808})", "config.image_size");
  expect_refused(R"({"model": {"max_cond_frames_in_attn": 18446744073709551615}})",
                 "config.model.max_cond_frames_in_attn");
  expect_refused(R"({"model": {"pred_obj_scores": 1}})", "config.model.pred_obj_scores");
  expect_refused(R"({"model": {"sigmoid_scale_for_mem_enc": true}})",
                 "config.model.sigmoid_scale_for_mem_enc");
  expect_refused(R"({"pixel_mean": [0.5, 0.5]})", "config.pixel_mean");
  expect_refused(R"({"pixel_mean": [0.5, 0.5, 0.5, 0.5]})", "config.pixel_mean");
  expect_refused(R"({"pixel_mean": [0.5, 0.5, false]})", "config.pixel_mean");
  expect_refused(R"({"trunk": {"stages": [1, 2.5, 7, 2]}})", "config.trunk.stages");
  expect_refused(R"({"trunk": {"stages": 4}})", "config.trunk.stages");
  expect_refused(R"({"neck": {"fpn_top_down_levels": [true]}})", "config.neck.fpn_top_down_levels");
  expect_refused(R"({"trunk": {"type": 1}})", "config.trunk.type");
}

TEST(ModelConfig, NamesAFieldWithABadValue) {
  expect_refused(R"({"image_size": 500})", "image_size is 500, want a multiple of 32");
  expect_refused(R"({"image_size": 0})", "image_size is 0");
  expect_refused(R"({"resize": "nearest"})", "resize is nearest");
  expect_refused(R"({"pixel_std": [1, 0, 1]})", "pixel_std");
  expect_refused(R"({"trunk": {"type": "resnet"}})", "trunk.type is resnet");
  expect_refused(R"({"trunk": {"stages": [1, 2, 3]}})", "trunk.stages has 3 entries");
  expect_refused(R"({"trunk": {"global_att_blocks": [99]}})", "trunk.global_att_blocks");
  expect_refused(R"({"trunk": {"num_heads": 5}})", "trunk.embed_dim");
  expect_refused(R"({"neck": {"d_model": 40}})", "neck.d_model is 40");
  expect_refused(R"({"model": {"num_maskmem": -1}})", "model.num_maskmem is -1");
  expect_refused(R"({"model": {"max_cond_frames_in_attn": 1}})",
                 "model.max_cond_frames_in_attn is 1");
  expect_refused(R"({"model": {"backbone_stride": 32}})", "model.backbone_stride is 32");
  expect_refused(R"({"model": {"fixed_no_obj_ptr": true}})", "model.fixed_no_obj_ptr");
  expect_refused(R"({"memory_encoder": {"out_dim": 60}})", "memory_encoder.out_dim is 60");
  expect_refused(R"({"memory_encoder": {"mask_downsampler": {"kernel_size": 7}}})",
                 "memory_encoder.mask_downsampler.kernel_size");
  expect_refused(R"({"predictor": {"fill_hole_area": -8}})", "predictor.fill_hole_area is -8");
}

TEST(ModelConfig, RefusesNestingThatNoConfigurationHas) {
  expect_refused(R"({"name": )" + std::string(200000, '[') + std::string(200000, ']') + "}",
                 "nested");
}

}  // namespace
}  // namespace vostrack::nn
