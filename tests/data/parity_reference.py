"""Runs the reference implementation (facebookresearch/sam2 at 2b90b9f) on a fixture's inputs.

Only drives it: `sam2` itself must be on PYTHONPATH and nothing of it is copied here. Works on the
CPU in float32. See make_parity.py for the fixtures' layout.
"""

import contextlib

import cv2
import numpy as np
import torch
import torch.nn.functional as F


def declare_torchvision_operators():
    """Lets a torchvision without its compiled operators be imported; the reference calls none."""
    names = [
        "nms", "qnms", "roi_align", "_roi_align_backward", "roi_pool", "_roi_pool_backward",
        "ps_roi_align", "_ps_roi_align_backward", "ps_roi_pool", "_ps_roi_pool_backward",
        "deform_conv2d", "_deform_conv2d_backward",
    ]
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in names:
        try:
            library.define(f"{name}(Tensor input) -> Tensor")
        except RuntimeError:  # this build has it
            pass
    return library  # the operators live as long as this object


_TORCHVISION = declare_torchvision_operators()

import sam2.sam2_video_predictor as video_predictor_module  # noqa: E402
import sam2.utils.misc as misc  # noqa: E402
from sam2.modeling.backbones.hieradet import Hiera  # noqa: E402
from sam2.modeling.backbones.image_encoder import FpnNeck, ImageEncoder  # noqa: E402
from sam2.modeling.memory_attention import MemoryAttention, MemoryAttentionLayer  # noqa: E402
from sam2.modeling.memory_encoder import (  # noqa: E402
    CXBlock,
    Fuser,
    MaskDownSampler,
    MemoryEncoder,
)
from sam2.modeling.position_encoding import PositionEmbeddingSine  # noqa: E402
from sam2.modeling.sam.transformer import RoPEAttention  # noqa: E402
from sam2.sam2_image_predictor import SAM2ImagePredictor  # noqa: E402

PIXEL_MEAN = (0.485, 0.456, 0.406)
PIXEL_STD = (0.229, 0.224, 0.225)
NO_OBJECT = -1024.0


def connected_components(mask):
    """8-connected labels and areas of (N, 1, H, W) masks: what the reference's extension gives."""
    labels = torch.zeros_like(mask, dtype=torch.int32)
    areas = torch.zeros_like(labels)
    for i, plane in enumerate(mask[:, 0].to(torch.uint8).numpy()):
        _, label, stats, _ = cv2.connectedComponentsWithStats(plane, connectivity=8)
        area = stats[label, cv2.CC_STAT_AREA]
        labels[i, 0] = torch.from_numpy(label)
        areas[i, 0] = torch.from_numpy(np.where(label > 0, area, 0))
    return labels, areas


misc.get_connected_components = connected_components  # instead of the CUDA extension
video_predictor_module.tqdm = lambda frames, **_: frames


@contextlib.contextmanager
def memories_stored_as(dtype):
    """The reference stores memories in bfloat16; here they stay float32, at most rounded."""
    original = torch.Tensor.to

    def to(tensor, *args, **kwargs):
        if args and args[0] is torch.bfloat16:
            return tensor if dtype == torch.float32 else original(tensor, dtype).float()
        return original(tensor, *args, **kwargs)

    torch.Tensor.to = to
    try:
        yield
    finally:
        torch.Tensor.to = original


def build_model(config):
    """The reference's video predictor for a fixture's configuration, in evaluation mode.

    An absent key means the value that all published presets share for what their files spell out
    (`nearest`, the memory attention's flags, the mask downsampler and fuser), otherwise the
    reference constructor's default.
    """
    trunk = Hiera(**config["trunk"])
    neck_options = dict(config["neck"])
    scalp = neck_options.pop("scalp", 0)
    d_model = neck_options["d_model"]
    sine = neck_options.pop("position_encoding", {})
    neck_options.setdefault("fpn_interp_model", "nearest")
    neck = FpnNeck(
        position_encoding=PositionEmbeddingSine(num_pos_feats=d_model, **sine),
        backbone_channel_list=trunk.channel_list,
        **neck_options,
    )

    encoder = dict(config["memory_encoder"])
    downsampler = {"kernel_size": 3, "stride": 2, "padding": 1}
    downsampler.update(encoder.pop("mask_downsampler", {}))
    fuser = {"num_layers": 2, "layer_scale_init_value": 1e-6}
    fuser.update(encoder.pop("fuser", {}))
    fuser_layers = fuser.pop("num_layers")
    memory_sine = encoder.pop("position_encoding", {})
    memory_dim = encoder["out_dim"]
    memory_encoder = MemoryEncoder(
        in_dim=d_model,
        mask_downsampler=MaskDownSampler(embed_dim=d_model, **downsampler),
        fuser=Fuser(CXBlock(dim=d_model, **fuser), fuser_layers),
        position_encoding=PositionEmbeddingSine(num_pos_feats=memory_dim, **memory_sine),
        **encoder,
    )

    attention = {
        "activation": "relu",
        "pos_enc_at_input": True,
        "pos_enc_at_attn": False,
        "pos_enc_at_cross_attn_keys": True,
        "pos_enc_at_cross_attn_queries": False,
        "rope_theta": 10000.0,
    }
    attention.update(config["memory_attention"])
    layers = attention.pop("num_layers")
    at_input = attention.pop("pos_enc_at_input")
    grid = config["image_size"] // config["model"].get("backbone_stride", 16)
    rope = {
        "embedding_dim": d_model,
        "num_heads": attention.pop("num_heads"),
        "rope_theta": attention.pop("rope_theta"),
        "feat_sizes": (grid, grid),
    }
    memory_attention = MemoryAttention(
        d_model=d_model,
        pos_enc_at_input=at_input,
        num_layers=layers,
        layer=MemoryAttentionLayer(
            d_model=d_model,
            dropout=0.0,
            self_attention=RoPEAttention(**rope),
            cross_attention=RoPEAttention(**rope, rope_k_repeat=True, kv_in_dim=memory_dim),
            **attention,
        ),
    )
    model = video_predictor_module.SAM2VideoPredictor(
        image_encoder=ImageEncoder(trunk=trunk, neck=neck, scalp=scalp),
        memory_attention=memory_attention,
        memory_encoder=memory_encoder,
        image_size=config["image_size"],
        **config["model"],
        **config.get("predictor", {}),
    )
    return model.eval().requires_grad_(False)


def normalised(pictures):
    """(..., H, W, 3) uint8 to (..., 3, H, W) float32 as the network sees it."""
    planes = pictures.movedim(-1, -3).float() / 255
    mean, std = torch.tensor(PIXEL_MEAN), torch.tensor(PIXEL_STD)
    return (planes - mean[:, None, None]) / std[:, None, None]


def stage_inputs(model, picture, rng):
    """Inputs of the networks run alone: fixed prompts, random mask logits and memories."""
    size = model.image_size
    low = 4 * model.sam_image_embedding_size
    grid = model.sam_image_embedding_size**2
    width, ratio = model.mem_dim, model.hidden_dim // model.mem_dim

    def smooth(count, side, scale):
        noise = torch.randn(count, 1, side // 8, side // 8, generator=rng) * scale
        return F.interpolate(noise, (side, side), mode="bicubic", align_corners=False)

    cases = {
        "none": ([[0, 0]], [-1]),
        "point1": ([[0.4, 0.6]], [1]),
        "points3": ([[0.2, 0.3], [0.7, 0.8], [0.5, 0.1]], [1, 0, 1]),
        "box": ([[0.2, 0.3], [0.7, 0.8]], [2, 3]),
        "mask_logits": ([[0.5, 0.5]], [0]),
    }
    inputs = {"input/picture": picture}
    for name, (coords, labels) in cases.items():
        inputs[f"prompt/{name}/coords"] = torch.tensor([coords], dtype=torch.float32) * size
        inputs[f"prompt/{name}/labels"] = torch.tensor([labels], dtype=torch.int32)
    inputs["prompt/mask_logits/mask_input"] = smooth(1, low, 10.0)
    inputs["memory_encoder/mask_logits"] = smooth(2, size, 6.0)
    tokens = 2 * grid + 3 * ratio
    inputs["memory_attention/memory"] = torch.randn(tokens, 2, width, generator=rng)
    inputs["memory_attention/memory_pos"] = torch.randn(tokens, 2, width, generator=rng)
    inputs["memory_attention/num_obj_ptr_tokens"] = torch.tensor(3 * ratio)
    return inputs


@torch.inference_mode()
def run_stages(model, inputs):
    """Every network alone on `stage_inputs`; returns inputs and outputs by fixture key."""
    out = dict(inputs)
    image = normalised(inputs["input/picture"])[None]
    for i, stage in enumerate(model.image_encoder.trunk(image)):
        out[f"trunk/stage{i}"] = stage
    backbone = model.forward_image(image)
    levels, positions = backbone["backbone_fpn"], backbone["vision_pos_enc"]
    for i, (level, position) in enumerate(zip(levels, positions)):
        out[f"image_encoder/level{i}"] = level
        out[f"image_encoder/pos{i}"] = position

    high = levels[-3:-1] if model.use_high_res_features_in_sam else None
    embedding = levels[-1] + model.no_mem_embed.reshape(1, -1, 1, 1)
    dense_pe = model.sam_prompt_encoder.get_dense_pe()
    out["prompt/dense_pe"] = dense_pe
    for key in [k for k in inputs if k.endswith("/labels")]:
        case = key.split("/")[1]
        sparse, dense = model.sam_prompt_encoder(
            points=(inputs[f"prompt/{case}/coords"], inputs[key]),
            boxes=None,
            masks=inputs.get(f"prompt/{case}/mask_input"),
        )
        out[f"prompt/{case}/sparse"], out[f"prompt/{case}/dense"] = sparse, dense
        for kind in ("single", "multi"):
            answers = model.sam_mask_decoder(
                image_embeddings=embedding,
                image_pe=dense_pe,
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=kind == "multi",
                repeat_image=False,
                high_res_features=high,
            )
            for name, value in zip(("masks", "iou", "tokens", "object_score"), answers):
                out[f"decoder/{case}/{kind}/{name}"] = value

    raw = levels[-1].expand(2, -1, -1, -1).flatten(2).permute(2, 0, 1)
    position = positions[-1].expand(2, -1, -1, -1).flatten(2).permute(2, 0, 1)
    for kind in ("prompted", "tracked"):
        features, pos = model._encode_new_memory(
            current_vision_feats=[raw],
            feat_sizes=[tuple(levels[-1].shape[-2:])],
            pred_masks_high_res=inputs["memory_encoder/mask_logits"],
            object_score_logits=torch.tensor([[2.0], [-1.0]]),
            is_mask_from_pts=kind == "prompted",
        )
        out[f"memory_encoder/{kind}/features"] = features
        out[f"memory_encoder/{kind}/pos"] = pos[-1]
    out["memory_attention/out"] = model.memory_attention(
        curr=[raw],
        curr_pos=[position],
        memory=inputs["memory_attention/memory"].clone(),
        memory_pos=inputs["memory_attention/memory_pos"],
        num_obj_ptr_tokens=int(inputs["memory_attention/num_obj_ptr_tokens"]),
    )
    return out


@torch.inference_mode()
def run_image(model, picture):
    """The image predictor on one (H, W, 3) uint8 picture with five prompts; by fixture key."""
    predictor = SAM2ImagePredictor(model)
    side = model.sam_image_embedding_size
    predictor._bb_feat_sizes = [(4 * side,) * 2, (2 * side,) * 2, (side,) * 2]
    array = picture.numpy()
    predictor.set_image(array)
    h, w = array.shape[:2]
    box = np.array([0.2 * w, 0.25 * h, 0.7 * w, 0.9 * h])
    point = [0.4 * w, 0.55 * h]
    out = {"picture": picture, "network_input": predictor._transforms(array)[None]}

    def predict(name, points=None, labels=None, **options):
        prompt = {} if points is None else {
            "point_coords": np.array(points), "point_labels": np.array(labels)
        }
        answers = predictor.predict(**prompt, **options, return_logits=True)
        for key, value in zip(("masks", "iou", "low_res"), answers):
            out[f"{name}/{key}"] = torch.from_numpy(value)

    predict("point", [point], [1], multimask_output=True)
    predict("points", [point, [0.8 * w, 0.2 * h]], [1, 0], multimask_output=False)
    predict("box", box=box, multimask_output=False)
    predict("box_point", [[0.5 * w, 0.5 * h]], [0], box=box, multimask_output=False)
    best = int(out["point/iou"].argmax())
    predict(
        "refine", [point, [0.1 * w, 0.1 * h]], [1, 0],
        mask_input=out["point/low_res"][best : best + 1].numpy(), multimask_output=False,
    )
    return out


class Session:
    """One video in the reference's video predictor, driven by the steps of a script.json."""

    def __init__(self, model, pictures, video_size, memory_dtype=torch.float32):
        self.model, self.memory_dtype = model, memory_dtype
        height, width = video_size
        images = normalised(pictures)
        load = video_predictor_module.load_video_frames
        video_predictor_module.load_video_frames = lambda **_: (images, height, width)
        try:
            self.state = model.init_state("pictures in memory")
        finally:
            video_predictor_module.load_video_frames = load

    @property
    def obj_ids(self):
        return list(self.state["obj_ids"])

    def apply(self, step, mask=None):
        """Runs one step. Returns what it adds to the step (obj_ids, frames) and its tensors."""
        with memories_stored_as(self.memory_dtype):
            return getattr(self, "_" + step["op"])(step, mask)

    def _answer(self, answer):
        frame, ids, masks = answer
        return {"obj_ids": list(ids)}, {f"frame{frame}/masks": masks.clone()}

    def _add_points(self, step, _):
        options = {name: step[name] for name in ("points", "labels", "box") if name in step}
        return self._answer(
            self.model.add_new_points_or_box(
                self.state, step["frame"], step["obj"],
                clear_old_points=step.get("clear_old", True), **options,
            )
        )

    def _add_mask(self, step, mask):
        return self._answer(
            self.model.add_new_mask(self.state, step["frame"], step["obj"], mask)
        )

    def _clear_prompts(self, step, _):
        return self._answer(
            self.model.clear_all_prompts_in_frame(self.state, step["frame"], step["obj"])
        )

    def _remove(self, step, _):
        self.model.remove_object(self.state, step["obj"], strict=True)
        return {"obj_ids": self.obj_ids}, {}

    def _reset(self, step, _):
        self.model.reset_state(self.state)
        return {"obj_ids": []}, {}

    def _propagate(self, step, _):
        added, tensors = {}, {}
        frames = []
        for frame, ids, masks in self.model.propagate_in_video(
            self.state, step.get("start"), step.get("max"), step.get("reverse", False)
        ):
            added["obj_ids"] = list(ids)
            frames.append(frame)
            tensors[f"frame{frame}/masks"] = masks.clone()
            for index, obj in enumerate(ids):
                stores = self.state["output_dict_per_obj"][index]
                output = stores["cond_frame_outputs"].get(frame)
                output = output or stores["non_cond_frame_outputs"][frame]
                prefix = f"frame{frame}/obj{obj}"
                tensors[f"{prefix}/pointer"] = output["obj_ptr"].clone()
                tensors[f"{prefix}/object_score"] = output["object_score_logits"].clone()
        return {**added, "frames": frames}, tensors


def run_script(model, pictures, script, masks, memory_dtype=torch.float32):
    """Replays a whole script; returns its steps as run and the tensors by fixture key."""
    session = Session(model, pictures, script["video_size"], memory_dtype)
    steps, tensors = [], {}
    for i, step in enumerate(script["steps"]):
        added, answers = session.apply(step, masks.get(f"step{i}/mask_input"))
        steps.append({**step, **added})
        tensors.update({f"step{i}/{key}": value for key, value in answers.items()})
    return steps, tensors
