"""Networks of the parity fixtures, in the reference's option names. See make_parity.py.

Small: the reference fixes the mask decoder's inner width at 2048 and the IoU head's at 256, so
`d_model` decides the size of the file.
"""

import copy


def changed(base, **sections):
    """A copy of a configuration with some keys of some sections replaced; None drops a key."""
    config = copy.deepcopy(base)
    for section, values in sections.items():
        if not isinstance(values, dict):
            config[section] = values
            continue
        target = config.setdefault(section, {})
        for key, value in values.items():
            if value is None:
                target.pop(key, None)
            else:
                target[key] = value
    return config


DYNAMIC_MULTIMASK = {
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.3,  # presets: 0.05, too rarely unstable in so few pixels
    "dynamic_multimask_stability_thresh": 0.98,
}

SMALL_SAM21 = {
    "name": "small sam21-like",
    "image_size": 64,
    "trunk": {
        "embed_dim": 8, "num_heads": 1, "stages": [1, 1, 2, 1], "global_att_blocks": [3],
        "window_spec": [8, 4, 3, 2], "window_pos_embed_bkg_spatial_size": [7, 7], "q_pool": 3,
    },
    "neck": {"d_model": 16, "fpn_top_down_levels": [2, 3], "scalp": 1},
    "memory_attention": {"num_layers": 2, "num_heads": 1, "dim_feedforward": 32},
    "memory_encoder": {"out_dim": 8},
    "model": {
        "num_maskmem": 7,
        "sigmoid_scale_for_mem_enc": 20.0,
        "sigmoid_bias_for_mem_enc": -10.0,
        "use_mask_input_as_output_without_sam": True,
        "directly_add_no_mem_embed": True,
        "no_obj_embed_spatial": True,
        "use_high_res_features_in_sam": True,
        "multimask_output_in_sam": True,
        "iou_prediction_use_sigmoid": True,
        "use_obj_ptrs_in_encoder": True,
        "add_tpos_enc_to_obj_ptrs": True,
        "proj_tpos_enc_in_obj_ptrs": True,
        "use_signed_tpos_enc_to_obj_ptrs": True,
        "only_obj_ptrs_in_the_past_for_eval": True,
        "pred_obj_scores": True,
        "pred_obj_scores_mlp": True,
        "fixed_no_obj_ptr": True,
        "multimask_output_for_tracking": True,
        "use_multimask_token_for_obj_ptr": True,
        "multimask_min_pt_num": 0,
        "multimask_max_pt_num": 1,
        "use_mlp_for_obj_ptr_proj": True,
        "binarize_mask_from_pts_for_mem_enc": True,
        "sam_mask_decoder_extra_args": DYNAMIC_MULTIMASK,
    },
    "predictor": {"add_all_frames_to_correct_as_cond": True, "fill_hole_area": 8},
}

SMALL_OPTIONS = changed(
    SMALL_SAM21,
    name="small, unusual options",
    trunk={
        "num_heads": 2, "stages": [1, 2, 1, 1], "global_att_blocks": [],
        "window_spec": [4, 6, 2, 2], "q_pool": 3,
    },
    neck={"fpn_top_down_levels": [1, 3], "fpn_interp_model": "bilinear", "fuse_type": "avg"},
    memory_attention={
        "num_layers": 1, "num_heads": 2, "rope_theta": 100.0, "activation": "gelu",
        "pos_enc_at_attn": True, "pos_enc_at_cross_attn_queries": True,
        "pos_enc_at_input": False,
    },
    memory_encoder={
        "out_dim": 16,
        "mask_downsampler": {"kernel_size": 4, "stride": 4, "padding": 0},
        "fuser": {"num_layers": 1, "kernel_size": 5, "padding": 2, "use_dwconv": False},
    },
    model={
        "num_maskmem": 3,
        "sigmoid_scale_for_mem_enc": 1.0,
        "sigmoid_bias_for_mem_enc": 0.0,
        "use_mask_input_as_output_without_sam": False,
        "no_obj_embed_spatial": False,
        "iou_prediction_use_sigmoid": False,
        "proj_tpos_enc_in_obj_ptrs": False,
        "use_signed_tpos_enc_to_obj_ptrs": False,
        "only_obj_ptrs_in_the_past_for_eval": False,
        "max_obj_ptrs_in_encoder": 3,
        "pred_obj_scores_mlp": False,
        "soft_no_obj_ptr": True,
        "multimask_output_for_tracking": False,
        "use_multimask_token_for_obj_ptr": False,
        "multimask_min_pt_num": 1,
        "multimask_max_pt_num": 2,
        "memory_temporal_stride_for_eval": 2,
        "max_cond_frames_in_attn": 2,
        "use_mlp_for_obj_ptr_proj": False,
        "binarize_mask_from_pts_for_mem_enc": False,
        "sam_mask_decoder_extra_args": None,
    },
    predictor={
        "add_all_frames_to_correct_as_cond": False, "non_overlap_masks": True,
        "fill_hole_area": None,
    },
)

CONFIGS = {"small_sam21": SMALL_SAM21, "small_options": SMALL_OPTIONS}
