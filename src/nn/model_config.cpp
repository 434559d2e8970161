#include "nn/model_config.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "base/check.hpp"

namespace vostrack::nn {
namespace {

using nlohmann::json;

constexpr auto kBad = ErrorCode::kInvalidArgument;

/// Configurations are five levels deep; a bound keeps recursion over hostile files short.
constexpr int kMaxDepth = 16;

// Each reads one type and no other: the library itself would turn true into 1 and 2.5 into 2.
// They return whether `in` was of that type.

bool read_value(const json& in, bool& out) {
  if (in.is_boolean()) out = in.get<bool>();
  return in.is_boolean();
}

bool read_value(const json& in, int& out) {
  const bool fits = in.is_number_unsigned()
                        ? in.get<std::uint64_t>() <= INT32_MAX
                        : in.is_number_integer() && in.get<std::int64_t>() >= INT32_MIN &&
                              in.get<std::int64_t>() <= INT32_MAX;
  if (fits) out = in.get<int>();
  return fits;
}

bool read_value(const json& in, double& out) {
  if (in.is_number()) out = in.get<double>();
  return in.is_number();
}

bool read_value(const json& in, std::string& out) {
  if (in.is_string()) out = in.get<std::string>();
  return in.is_string();
}

template <class T>
bool read_value(const json& in, std::vector<T>& out) {
  if (!in.is_array()) return false;
  std::vector<T> values(in.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!read_value(in[i], values[i])) return false;
  out = std::move(values);
  return true;
}

template <class T, std::size_t N>
bool read_value(const json& in, std::array<T, N>& out) {
  std::vector<T> values;
  if (!read_value(in, values) || values.size() != N) return false;
  std::ranges::copy(values, out.begin());
  return true;
}

/// One section of the JSON: reads each field once and then complains about what was not asked for.
/// Reading and writing share one list of fields, so that they cannot drift apart.
class Section {
 public:
  Section(json& object, std::string path, bool writing)
      : object_(object), path_(std::move(path)), writing_(writing) {
    check(writing_ || object_.is_object(), kBad, "configuration: {} is {}, want an object", path_,
          object_.type_name());
  }

  template <class T>
  void field(const char* name, T& value) {
    known_.insert(name);
    if (writing_) {
      object_[name] = value;
    } else if (auto it = object_.find(name); it != object_.end()) {
      if (!read_value(*it, value))
        fail(kBad, "configuration: {}.{} is {}, which is no value for it", path_, name,
             it->dump().substr(0, 80));
    }
  }

  template <class T>
  void field(const char* name, std::optional<T>& value) {
    known_.insert(name);
    if (writing_) {
      if (value) object_[name] = *value;
    } else if (auto it = object_.find(name); it != object_.end() && !it->is_null()) {
      T inner{};
      field(name, inner);
      value = std::move(inner);
    }
  }

  /// A key that the reference's files carry and that changes nothing here.
  void ignore(const char* name) { known_.insert(name); }

  template <class Visit>
  void section(const char* name, Visit visit) {
    known_.insert(name);
    if (!writing_ && (!object_.contains(name) || object_[name].is_null())) return;
    if (writing_) object_[name] = json::object();
    Section inner(object_[name], path_ + "." + name, writing_);
    visit(inner);
    inner.finish();
  }

  void finish() const {
    if (writing_) return;
    for (const auto& [key, value] : object_.items())
      check(known_.count(key) > 0, kBad, "configuration: {}.{} is unknown", path_, key);
  }

  bool writing() const { return writing_; }

 private:
  json& object_;
  std::string path_;
  bool writing_;
  std::set<std::string> known_;
};

void visit_trunk(Section& s, TrunkConfig& c) {
  s.field("type", c.type);
  if (!s.writing() || c.type == "hiera") {
    s.field("embed_dim", c.embed_dim);
    s.field("num_heads", c.num_heads);
    s.field("q_pool", c.q_pool);
    s.field("q_stride", c.q_stride);
    s.field("stages", c.stages);
    s.field("dim_mul", c.dim_mul);
    s.field("head_mul", c.head_mul);
    s.field("window_pos_embed_bkg_spatial_size", c.window_pos_embed_bkg_spatial_size);
    s.field("window_spec", c.window_spec);
    s.field("global_att_blocks", c.global_att_blocks);
    s.ignore("drop_path_rate");
    s.ignore("return_interm_layers");
    s.ignore("weights_path");
  }
  if (!s.writing() || c.type == "efficientnet_lite0") {
    s.field("output_blocks", c.output_blocks);
    s.field("output_scale", c.output_scale);
    s.field("batch_norm_eps", c.batch_norm_eps);
  }
}

void visit_sine(Section& s, SineEncodingConfig& c) {
  s.field("temperature", c.temperature);
  s.field("normalize", c.normalize);
  s.field("scale", c.scale);
  s.ignore("num_pos_feats");
}

void visit_neck(Section& s, NeckConfig& c) {
  s.field("d_model", c.d_model);
  s.field("fpn_top_down_levels", c.fpn_top_down_levels);
  s.field("fpn_interp_model", c.fpn_interp_model);
  s.field("fuse_type", c.fuse_type);
  s.field("scalp", c.scalp);
  s.section("position_encoding", [&](Section& inner) { visit_sine(inner, c.position_encoding); });
  s.ignore("backbone_channel_list");
}

void visit_memory_attention(Section& s, MemoryAttentionConfig& c) {
  s.field("num_layers", c.num_layers);
  s.field("num_heads", c.num_heads);
  s.field("dim_feedforward", c.dim_feedforward);
  s.field("activation", c.activation);
  s.field("downsample_rate", c.downsample_rate);
  s.field("rope_theta", c.rope_theta);
  s.field("rope_k_repeat", c.rope_k_repeat);
  s.field("pos_enc_at_input", c.pos_enc_at_input);
  s.field("pos_enc_at_attn", c.pos_enc_at_attn);
  s.field("pos_enc_at_cross_attn_keys", c.pos_enc_at_cross_attn_keys);
  s.field("pos_enc_at_cross_attn_queries", c.pos_enc_at_cross_attn_queries);
  // Computed for the grid in use; dropout is a matter of training.
  s.ignore("feat_sizes");
  s.ignore("dropout");
  s.ignore("d_model");
}

void visit_memory_encoder(Section& s, MemoryEncoderConfig& c) {
  s.field("out_dim", c.out_dim);
  s.section("position_encoding", [&](Section& inner) { visit_sine(inner, c.position_encoding); });
  s.section("mask_downsampler", [&](Section& inner) {
    inner.field("kernel_size", c.mask_downsampler_kernel_size);
    inner.field("stride", c.mask_downsampler_stride);
    inner.field("padding", c.mask_downsampler_padding);
  });
  s.section("fuser", [&](Section& inner) {
    inner.field("num_layers", c.fuser_num_layers);
    inner.field("kernel_size", c.fuser_kernel_size);
    inner.field("padding", c.fuser_padding);
    inner.field("use_dwconv", c.fuser_use_dwconv);
    inner.field("layer_scale_init_value", c.fuser_layer_scale_init_value);
  });
}

void visit_base(Section& s, BaseConfig& c) {
  s.field("num_maskmem", c.num_maskmem);
  s.field("backbone_stride", c.backbone_stride);
  s.field("sigmoid_scale_for_mem_enc", c.sigmoid_scale_for_mem_enc);
  s.field("sigmoid_bias_for_mem_enc", c.sigmoid_bias_for_mem_enc);
  s.field("binarize_mask_from_pts_for_mem_enc", c.binarize_mask_from_pts_for_mem_enc);
  s.field("use_mask_input_as_output_without_sam", c.use_mask_input_as_output_without_sam);
  s.field("max_cond_frames_in_attn", c.max_cond_frames_in_attn);
  s.field("directly_add_no_mem_embed", c.directly_add_no_mem_embed);
  s.field("use_high_res_features_in_sam", c.use_high_res_features_in_sam);
  s.field("multimask_output_in_sam", c.multimask_output_in_sam);
  s.field("multimask_min_pt_num", c.multimask_min_pt_num);
  s.field("multimask_max_pt_num", c.multimask_max_pt_num);
  s.field("multimask_output_for_tracking", c.multimask_output_for_tracking);
  s.field("use_multimask_token_for_obj_ptr", c.use_multimask_token_for_obj_ptr);
  s.field("iou_prediction_use_sigmoid", c.iou_prediction_use_sigmoid);
  s.field("memory_temporal_stride_for_eval", c.memory_temporal_stride_for_eval);
  s.field("non_overlap_masks_for_mem_enc", c.non_overlap_masks_for_mem_enc);
  s.field("use_obj_ptrs_in_encoder", c.use_obj_ptrs_in_encoder);
  s.field("max_obj_ptrs_in_encoder", c.max_obj_ptrs_in_encoder);
  s.field("add_tpos_enc_to_obj_ptrs", c.add_tpos_enc_to_obj_ptrs);
  s.field("proj_tpos_enc_in_obj_ptrs", c.proj_tpos_enc_in_obj_ptrs);
  s.field("use_signed_tpos_enc_to_obj_ptrs", c.use_signed_tpos_enc_to_obj_ptrs);
  s.field("only_obj_ptrs_in_the_past_for_eval", c.only_obj_ptrs_in_the_past_for_eval);
  s.field("pred_obj_scores", c.pred_obj_scores);
  s.field("pred_obj_scores_mlp", c.pred_obj_scores_mlp);
  s.field("fixed_no_obj_ptr", c.fixed_no_obj_ptr);
  s.field("soft_no_obj_ptr", c.soft_no_obj_ptr);
  s.field("use_mlp_for_obj_ptr_proj", c.use_mlp_for_obj_ptr_proj);
  s.field("no_obj_embed_spatial", c.no_obj_embed_spatial);
  s.ignore("compile_image_encoder");
  s.section("sam_mask_decoder_extra_args", [&](Section& inner) {
    inner.field("dynamic_multimask_via_stability", c.dynamic_multimask_via_stability);
    inner.field("dynamic_multimask_stability_delta", c.dynamic_multimask_stability_delta);
    inner.field("dynamic_multimask_stability_thresh", c.dynamic_multimask_stability_thresh);
  });
}

void visit_predictor(Section& s, PredictorConfig& c) {
  s.field("fill_hole_area", c.fill_hole_area);
  s.field("non_overlap_masks", c.non_overlap_masks);
  s.field("clear_non_cond_mem_around_input", c.clear_non_cond_mem_around_input);
  s.field("add_all_frames_to_correct_as_cond", c.add_all_frames_to_correct_as_cond);
}

void visit_config(Section& s, ModelConfig& c) {
  s.field("name", c.name);
  s.field("image_size", c.image_size);
  s.field("pixel_mean", c.pixel_mean);
  s.field("pixel_std", c.pixel_std);
  std::string resize =
      c.resize == ResizeFilter::kBilinearAntialias ? "bilinear_antialias" : "pil_bicubic_u8";
  s.field("resize", resize);
  check(resize == "bilinear_antialias" || resize == "pil_bicubic_u8", kBad,
        "configuration: resize is {}, want bilinear_antialias or pil_bicubic_u8", resize);
  c.resize =
      resize == "pil_bicubic_u8" ? ResizeFilter::kPilBicubicU8 : ResizeFilter::kBilinearAntialias;
  s.section("trunk", [&](Section& inner) { visit_trunk(inner, c.trunk); });
  s.section("neck", [&](Section& inner) { visit_neck(inner, c.neck); });
  s.section("memory_attention",
            [&](Section& inner) { visit_memory_attention(inner, c.memory_attention); });
  s.section("memory_encoder",
            [&](Section& inner) { visit_memory_encoder(inner, c.memory_encoder); });
  s.section("model", [&](Section& inner) { visit_base(inner, c.model); });
  s.section("predictor", [&](Section& inner) { visit_predictor(inner, c.predictor); });
}

void validate_sine(const char* field, const SineEncodingConfig& c) {
  check(c.temperature > 0, kBad, "configuration: {}.temperature is {}, want above 0", field,
        c.temperature);
  check(!c.scale || c.normalize, kBad, "configuration: {}.scale needs normalize", field);
}

template <class T>
void within(const char* field, T value, T low, T high) {
  check(value >= low && value <= high, kBad, "configuration: {} is {}, want {} to {}", field, value,
        low, high);
}

void validate_trunk(const ModelConfig& config) {
  const TrunkConfig& t = config.trunk;
  if (t.type == "hiera") {
    within("trunk.embed_dim", t.embed_dim, 1, 4096);
    within("trunk.num_heads", t.num_heads, 1, 256);
    check(t.embed_dim % t.num_heads == 0, kBad,
          "configuration: trunk.embed_dim is {}, want a multiple of trunk.num_heads, {}",
          t.embed_dim, t.num_heads);
    check(t.stages.size() == 4, kBad, "configuration: trunk.stages has {} entries, want 4",
          t.stages.size());
    check(t.window_spec.size() == t.stages.size(), kBad,
          "configuration: trunk.window_spec has {} entries, want as many as trunk.stages, {}",
          t.window_spec.size(), t.stages.size());
    for (int blocks : t.stages) within("trunk.stages", blocks, 1, 256);
    for (int window : t.window_spec) within("trunk.window_spec", window, 1, 1024);
    within("trunk.q_pool", t.q_pool, 0, 3);
    check(t.q_stride == (std::array<int, 2>{2, 2}), kBad,
          "configuration: trunk.q_stride is ({}, {}), want (2, 2)", t.q_stride[0], t.q_stride[1]);
    within("trunk.dim_mul", t.dim_mul, 1.0, 8.0);
    within("trunk.head_mul", t.head_mul, 1.0, 8.0);
    for (int size : t.window_pos_embed_bkg_spatial_size)
      within("trunk.window_pos_embed_bkg_spatial_size", size, 1, 1024);
    double width = t.embed_dim;
    double heads = t.num_heads;
    for (std::size_t stage = 1; stage < t.stages.size(); ++stage) {
      width = std::floor(width * t.dim_mul);
      heads = std::floor(heads * t.head_mul);
      check(std::fmod(width, heads) == 0, kBad,
            "configuration: trunk stage {} is {} wide with {} heads, want a multiple", stage, width,
            heads);
    }
    const int depth = std::accumulate(t.stages.begin(), t.stages.end(), 0);
    for (int block : t.global_att_blocks) within("trunk.global_att_blocks", block, 0, depth - 1);
    check(config.image_size / 4 % t.window_spec[0] == 0, kBad,
          "configuration: image_size is {}, want a quarter of it to be a multiple of "
          "trunk.window_spec[0], {}",
          config.image_size, t.window_spec[0]);
  } else if (t.type == "efficientnet_lite0") {
    check(t.output_blocks == (std::vector<int>{2, 4, 10, 15}), kBad,
          "configuration: trunk.output_blocks must be 2, 4, 10, 15 (strides 4, 8, 16, 32)");
    check(t.output_scale.size() == 4, kBad,
          "configuration: trunk.output_scale has {} entries, want 4", t.output_scale.size());
    within("trunk.batch_norm_eps", t.batch_norm_eps, 0.0, 1.0);
  } else {
    fail(kBad, "configuration: trunk.type is {}, want hiera or efficientnet_lite0", t.type);
  }
}

}  // namespace

double ModelConfig::approximate_parameters() const {
  double count = 0;
  if (trunk.type == "hiera") {
    double dim = trunk.embed_dim;
    count += 2 * dim * trunk.window_spec[0] * trunk.window_spec[0];
    count += dim * trunk.window_pos_embed_bkg_spatial_size[0] *
             trunk.window_pos_embed_bkg_spatial_size[1];
    for (std::size_t stage = 0; stage < trunk.stages.size(); ++stage) {
      if (stage > 0) dim *= trunk.dim_mul;
      count += trunk.stages[stage] * 12.0 * dim * dim + dim * neck.d_model;
    }
  } else {
    count += 3.4e6 + 500.0 * neck.d_model;
  }
  constexpr double kDecoderMlp = 2048;
  const double d = neck.d_model;
  const double fuser_kernel = memory_encoder.fuser_kernel_size;
  count += memory_attention.num_layers * (8 * d * d + 2 * d * memory_attention.dim_feedforward);
  count +=
      memory_encoder.fuser_num_layers *
      (8 * d * d + fuser_kernel * fuser_kernel * d * (memory_encoder.fuser_use_dwconv ? 1 : d));
  count += 32768.0 * memory_encoder.mask_downsampler_kernel_size *
           memory_encoder.mask_downsampler_kernel_size;
  count += 4 * kDecoderMlp * d + 35 * d * d;  // mask decoder and pointer projections
  count += static_cast<double>(model.num_maskmem) * memory_encoder.out_dim;
  return count;
}

void ModelConfig::validate() const {
  within("image_size", image_size, 32, 4096);
  check(image_size % 32 == 0, kBad, "configuration: image_size is {}, want a multiple of 32",
        image_size);
  for (double deviation : pixel_std) within("pixel_std", deviation, 1e-6, 1e6);
  validate_trunk(*this);

  within("neck.d_model", neck.d_model, 16, 4096);
  check(neck.d_model % 16 == 0, kBad, "configuration: neck.d_model is {}, want a multiple of 16",
        neck.d_model);
  within("neck.scalp", neck.scalp, 0, 1);
  check(neck.fpn_interp_model == "nearest" || neck.fpn_interp_model == "bilinear", kBad,
        "configuration: neck.fpn_interp_model is {}, want nearest or bilinear",
        neck.fpn_interp_model);
  check(neck.fuse_type == "sum" || neck.fuse_type == "avg", kBad,
        "configuration: neck.fuse_type is {}, want sum or avg", neck.fuse_type);
  if (neck.fpn_top_down_levels)
    for (int level : *neck.fpn_top_down_levels) within("neck.fpn_top_down_levels", level, 0, 3);
  validate_sine("neck.position_encoding", neck.position_encoding);
  validate_sine("memory_encoder.position_encoding", memory_encoder.position_encoding);
  const int stride = neck.scalp == 1 ? 16 : 32;
  check(model.backbone_stride == stride, kBad,
        "configuration: model.backbone_stride is {}, want {} with neck.scalp {}",
        model.backbone_stride, stride, neck.scalp);

  within("memory_attention.num_layers", memory_attention.num_layers, 1, 64);
  within("memory_attention.num_heads", memory_attention.num_heads, 1, 64);
  within("memory_attention.dim_feedforward", memory_attention.dim_feedforward, 1, 65536);
  within("memory_attention.downsample_rate", memory_attention.downsample_rate, 1, 16);
  within("memory_attention.rope_theta", memory_attention.rope_theta, 1.0, 1e9);
  check(neck.d_model % (memory_attention.downsample_rate * memory_attention.num_heads * 4) == 0,
        kBad,
        "configuration: neck.d_model is {}, want a multiple of 4 × memory_attention.num_heads × "
        "downsample_rate, {}",
        neck.d_model, 4 * memory_attention.num_heads * memory_attention.downsample_rate);
  check(memory_attention.activation == "relu" || memory_attention.activation == "gelu", kBad,
        "configuration: memory_attention.activation is {}, want relu or gelu",
        memory_attention.activation);

  within("memory_encoder.out_dim", memory_encoder.out_dim, 4, neck.d_model);
  check(memory_encoder.out_dim % 4 == 0 && neck.d_model % memory_encoder.out_dim == 0, kBad,
        "configuration: memory_encoder.out_dim is {}, want a multiple of 4 that divides "
        "neck.d_model, {}",
        memory_encoder.out_dim, neck.d_model);
  const int down = memory_encoder.mask_downsampler_stride;
  check(down == 2 || down == 4 || down == 16, kBad,
        "configuration: memory_encoder.mask_downsampler.stride is {}, want 2, 4 or 16", down);
  within("memory_encoder.mask_downsampler.kernel_size", memory_encoder.mask_downsampler_kernel_size,
         1, 64);
  within("memory_encoder.mask_downsampler.padding", memory_encoder.mask_downsampler_padding, 0, 32);
  const int kernel = memory_encoder.mask_downsampler_kernel_size;
  const int padding = memory_encoder.mask_downsampler_padding;
  check(2 * padding < kernel && kernel <= 2 * padding + down, kBad,
        "configuration: memory_encoder.mask_downsampler.kernel_size is {}, want 2 × padding + 1 to "
        "2 × padding + stride, {} to {}, so that each step divides the size by the stride",
        kernel, 2 * padding + 1, 2 * padding + down);
  within("memory_encoder.fuser.num_layers", memory_encoder.fuser_num_layers, 0, 64);
  check(memory_encoder.fuser_kernel_size == 2 * memory_encoder.fuser_padding + 1, kBad,
        "configuration: memory_encoder.fuser.kernel_size is {}, want 2 × padding + 1, {}",
        memory_encoder.fuser_kernel_size, 2 * memory_encoder.fuser_padding + 1);

  within("model.num_maskmem", model.num_maskmem, 0, 1024);
  within("model.memory_temporal_stride_for_eval", model.memory_temporal_stride_for_eval, 1, 100000);
  within("model.max_obj_ptrs_in_encoder", model.max_obj_ptrs_in_encoder, 1, 100000);
  check(model.max_cond_frames_in_attn == -1 || model.max_cond_frames_in_attn >= 2, kBad,
        "configuration: model.max_cond_frames_in_attn is {}, want -1 (no limit) or at least 2",
        model.max_cond_frames_in_attn);
  check(!model.fixed_no_obj_ptr || (model.pred_obj_scores && model.use_obj_ptrs_in_encoder), kBad,
        "configuration: model.fixed_no_obj_ptr needs pred_obj_scores and use_obj_ptrs_in_encoder");
  check(!model.proj_tpos_enc_in_obj_ptrs || model.add_tpos_enc_to_obj_ptrs, kBad,
        "configuration: model.proj_tpos_enc_in_obj_ptrs needs add_tpos_enc_to_obj_ptrs");
  within("predictor.fill_hole_area", predictor.fill_hole_area, 0, 1 << 30);
}

ModelConfig config_from_json(const std::string& text) {
  json root;
  try {
    root = json::parse(text, [](int depth, json::parse_event_t, json&) {
      check(depth <= kMaxDepth, kBad, "configuration: nested more than {} levels deep", kMaxDepth);
      return true;
    });
  } catch (const json::exception& error) {
    fail(kBad, "configuration: not JSON: {}", error.what());
  }
  ModelConfig config;
  Section section(root, "config", /*writing=*/false);
  visit_config(section, config);
  section.finish();
  config.validate();
  return config;
}

std::string config_to_json(const ModelConfig& config) {
  json root = json::object();
  ModelConfig copy = config;
  Section section(root, "config", /*writing=*/true);
  visit_config(section, copy);
  return root.dump(1);
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const char* version : {"sam2", "sam2.1"})
    for (const char* size : {"t", "s", "b+", "l"})
      names.push_back(fmt::format("{}_hiera_{}", version, size));
  return names;
}

std::optional<ModelConfig> preset(const std::string& name) {
  struct Size {
    int embed_dim, num_heads;
    std::vector<int> stages, global_att_blocks;
    int background;
    std::vector<int> window_spec;
  };
  static const std::map<std::string, Size> sizes{
      {"t", {96, 1, {1, 2, 7, 2}, {5, 7, 9}, 7, {8, 4, 14, 7}}},
      {"s", {96, 1, {1, 2, 11, 2}, {7, 10, 13}, 7, {8, 4, 14, 7}}},
      {"b+", {112, 2, {2, 3, 16, 3}, {12, 16, 20}, 14, {8, 4, 14, 7}}},
      {"l", {144, 2, {2, 6, 36, 4}, {23, 33, 43}, 7, {8, 4, 16, 8}}},
  };
  const auto separator = name.find("_hiera_");
  if (separator == std::string::npos) return std::nullopt;
  const std::string version = name.substr(0, separator);
  const auto size = sizes.find(name.substr(separator + 7));
  if (size == sizes.end() || (version != "sam2" && version != "sam2.1")) return std::nullopt;

  ModelConfig config;
  config.name = name;
  config.image_size = 1024;
  config.trunk.embed_dim = size->second.embed_dim;
  config.trunk.num_heads = size->second.num_heads;
  config.trunk.stages = size->second.stages;
  config.trunk.global_att_blocks = size->second.global_att_blocks;
  config.trunk.window_pos_embed_bkg_spatial_size = {size->second.background,
                                                    size->second.background};
  config.trunk.window_spec = size->second.window_spec;
  config.neck.fpn_top_down_levels = std::vector<int>{2, 3};

  BaseConfig& base = config.model;
  base.sigmoid_scale_for_mem_enc = 20.0;
  base.sigmoid_bias_for_mem_enc = -10.0;
  base.use_mask_input_as_output_without_sam = true;
  base.directly_add_no_mem_embed = true;
  base.use_high_res_features_in_sam = true;
  base.multimask_output_in_sam = true;
  base.iou_prediction_use_sigmoid = true;
  base.use_obj_ptrs_in_encoder = true;
  base.add_tpos_enc_to_obj_ptrs = false;
  base.only_obj_ptrs_in_the_past_for_eval = true;
  base.pred_obj_scores = true;
  base.pred_obj_scores_mlp = true;
  base.fixed_no_obj_ptr = true;
  base.multimask_output_for_tracking = true;
  base.use_multimask_token_for_obj_ptr = true;
  base.multimask_min_pt_num = 0;
  base.multimask_max_pt_num = 1;
  base.use_mlp_for_obj_ptr_proj = true;
  base.binarize_mask_from_pts_for_mem_enc = true;
  base.dynamic_multimask_via_stability = true;
  if (version == "sam2.1") {
    base.no_obj_embed_spatial = true;
    base.add_tpos_enc_to_obj_ptrs = true;
    base.proj_tpos_enc_in_obj_ptrs = true;
    base.use_signed_tpos_enc_to_obj_ptrs = true;
  }
  config.predictor.fill_hole_area = 8;
  config.predictor.add_all_frames_to_correct_as_cond = true;
  return config;
}

}  // namespace vostrack::nn
