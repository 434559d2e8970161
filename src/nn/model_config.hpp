/// What a member of the network family looks like.
///
///   ModelConfig config = *preset("sam2.1_hiera_t");
///   config.image_size = 512;
///   config.validate();
///
/// The names are those of the reference's constructors (sam2/modeling, sam2/sam2_video_predictor.py
/// at 2b90b9f) and of the JSON that stands in checkpoints' headers; the defaults are those
/// constructors' own, not a preset's; where a constructor has none, or every published model sets
/// the same value (the neck's interpolation, the memory encoder's layers), it is that value.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace vostrack::nn {

/// Hiera (arXiv 2306.00989), or EfficientNet-Lite0 for the small model.
struct TrunkConfig {
  std::string type = "hiera";

  // Hiera
  int embed_dim = 96;
  int num_heads = 1;
  int q_pool = 3;
  std::array<int, 2> q_stride{2, 2};
  std::vector<int> stages{2, 3, 16, 3};
  double dim_mul = 2.0;
  double head_mul = 2.0;
  std::array<int, 2> window_pos_embed_bkg_spatial_size{14, 14};
  std::vector<int> window_spec{8, 4, 14, 7};
  std::vector<int> global_att_blocks{12, 16, 20};

  // EfficientNet-Lite0
  std::vector<int> output_blocks{2, 4, 10, 15};
  std::vector<double> output_scale{1, 1, 1, 1};
  double batch_norm_eps = 1e-3;
};

/// A sine position encoding of a grid.
struct SineEncodingConfig {
  double temperature = 10000.0;
  bool normalize = true;
  std::optional<double> scale;  ///< unset: 2π; only with normalize
};

struct NeckConfig {
  int d_model = 256;
  /// Levels (0 is the finest) that receive the coarser level's features; unset: all.
  std::optional<std::vector<int>> fpn_top_down_levels;
  std::string fpn_interp_model = "nearest";  ///< "nearest" or "bilinear"
  std::string fuse_type = "sum";             ///< "sum" or "avg"
  /// Coarsest levels that are computed for the top-down path but not returned.
  int scalp = 1;
  SineEncodingConfig position_encoding;
};

struct MemoryAttentionConfig {
  int num_layers = 4;
  int num_heads = 1;
  int dim_feedforward = 2048;
  std::string activation = "relu";  ///< "relu" or "gelu"
  int downsample_rate = 1;
  double rope_theta = 10000.0;
  bool rope_k_repeat = true;
  bool pos_enc_at_input = true;
  bool pos_enc_at_attn = false;
  bool pos_enc_at_cross_attn_keys = true;
  bool pos_enc_at_cross_attn_queries = false;
};

struct MemoryEncoderConfig {
  int out_dim = 64;
  int mask_downsampler_kernel_size = 3;
  int mask_downsampler_stride = 2;
  int mask_downsampler_padding = 1;
  int fuser_num_layers = 2;
  int fuser_kernel_size = 7;
  int fuser_padding = 3;
  bool fuser_use_dwconv = true;
  /// Where the fuser's layer scale starts in training; 0: no layer scale.
  double fuser_layer_scale_init_value = 1e-6;
  SineEncodingConfig position_encoding;
};

/// `model`: the arguments of the reference's SAM2Base.
struct BaseConfig {
  int num_maskmem = 7;
  int backbone_stride = 16;
  double sigmoid_scale_for_mem_enc = 1.0;
  double sigmoid_bias_for_mem_enc = 0.0;
  bool binarize_mask_from_pts_for_mem_enc = false;
  bool use_mask_input_as_output_without_sam = false;
  int max_cond_frames_in_attn = -1;
  bool directly_add_no_mem_embed = false;
  bool use_high_res_features_in_sam = false;
  bool multimask_output_in_sam = false;
  int multimask_min_pt_num = 1;
  int multimask_max_pt_num = 1;
  bool multimask_output_for_tracking = false;
  bool use_multimask_token_for_obj_ptr = false;
  bool iou_prediction_use_sigmoid = false;
  int memory_temporal_stride_for_eval = 1;
  /// Accepted and without effect, as in the reference: objects are encoded one by one.
  bool non_overlap_masks_for_mem_enc = false;
  bool use_obj_ptrs_in_encoder = false;
  int max_obj_ptrs_in_encoder = 16;
  bool add_tpos_enc_to_obj_ptrs = true;
  bool proj_tpos_enc_in_obj_ptrs = false;
  bool use_signed_tpos_enc_to_obj_ptrs = false;
  bool only_obj_ptrs_in_the_past_for_eval = false;
  bool pred_obj_scores = false;
  bool pred_obj_scores_mlp = false;
  bool fixed_no_obj_ptr = false;
  bool soft_no_obj_ptr = false;
  bool use_mlp_for_obj_ptr_proj = false;
  bool no_obj_embed_spatial = false;

  // sam_mask_decoder_extra_args
  bool dynamic_multimask_via_stability = false;
  double dynamic_multimask_stability_delta = 0.05;
  double dynamic_multimask_stability_thresh = 0.98;
};

/// `predictor`: the arguments of the reference's SAM2VideoPredictor.
struct PredictorConfig {
  int fill_hole_area = 0;
  bool non_overlap_masks = false;
  bool clear_non_cond_mem_around_input = false;
  bool add_all_frames_to_correct_as_cond = false;
};

/// How a picture becomes the network's square input.
enum class ResizeFilter {
  kBilinearAntialias,  ///< on float / 255, as the reference's image predictor
  kPilBicubicU8,       ///< on bytes, as the reference loads folders of JPEGs
};

struct ModelConfig {
  std::string name;
  int image_size = 512;
  std::array<double, 3> pixel_mean{0.485, 0.456, 0.406};
  std::array<double, 3> pixel_std{0.229, 0.224, 0.225};
  ResizeFilter resize = ResizeFilter::kBilinearAntialias;
  TrunkConfig trunk;
  NeckConfig neck;
  MemoryAttentionConfig memory_attention;
  MemoryEncoderConfig memory_encoder;
  BaseConfig model;
  PredictorConfig predictor;

  /// Side of the coarsest feature map that objects are tracked on.
  int feature_size() const { return image_size / model.backbone_stride; }
  /// Side of stored mask logits: a quarter of the image size.
  int mask_size() const { return 4 * feature_size(); }

  /// Roughly how many parameters the networks have, without making them: within a factor of two.
  double approximate_parameters() const;

  /// @throws Error kInvalidArgument naming field, value and rule
  void validate() const;
};

/// A published configuration: sam2_hiera_{t,s,b+,l} or sam2.1_hiera_{t,s,b+,l}, with what the
/// reference's video builder adds (dynamic multimask, binarised prompts, hole filling) and
/// corrections that last.
///
/// @return nothing for another name
std::optional<ModelConfig> preset(const std::string& name);
std::vector<std::string> preset_names();

/// @throws Error kInvalidArgument naming the key for an unknown key, a wrong type or a bad value
ModelConfig config_from_json(const std::string& text);
std::string config_to_json(const ModelConfig& config);

}  // namespace vostrack::nn
