#!/usr/bin/env python3
"""Makes tests/data/train/clip.safetensors: the reference's training loss and its gradients.

The reference is facebookresearch/sam2 at revision 2b90b9f, imported and not copied: put a checkout
with its `sam2` and `training` on PYTHONPATH; packages as for make_parity.py. Weights are those of
parity/small_sam21, with 5 added to the object score's last bias. Everything a training step draws is fixed here: plans of prompts, clicks and
boxes (seed 1). float32, one thread.

  make_train.py parity/small_sam21 train/clip.safetensors

For each scenario S the file has

  frames   (clips, T, 3, 64, 64) uint8, shared;  masks (objects, T, 64, 64) uint8, shared;
  clip_of  (objects,) the clip of each object, shared
  S/kind, S/conditioning, S/corrected, S/corrections   the plan (kind 0 mask, 1 box, 2 click)
  S/points/N/{coords,labels}   what the N-th request for clicks or a box got
  S/loss/{total,mask,dice,iou,class}
  S/gradient/NAME              of each parameter: whole up to 128 numbers, else every 61st
  S/noise/NAME                 how far a gradient moves when all weights move by 1e-7 of themselves
"""

import json
import pathlib
import sys
import types

import torch
from safetensors.torch import save_file

import parity_reference

# What the reference imports beside the loss and the model.
sys.modules["tensordict"] = types.SimpleNamespace(tensorclass=lambda cls: cls)
sys.modules["training.trainer"] = types.SimpleNamespace(CORE_LOSS_KEY="core_loss")

import training.model.sam2 as reference_training  # noqa: E402
from training.loss_fns import MultiStepMultiMasksAndIous  # noqa: E402

SIZE, FRAMES = 64, 3
WHOLE, STRIDE = 128, 61
SCORE_SHIFT = 5.0  # so that most objects are believed in and their masks reach the loss
MASK, BOX, CLICK = range(3)
SCENARIOS = {
    "mask": {"kind": MASK, "conditioning": [0], "corrected": [2], "corrections": 1},
    "box": {"kind": BOX, "conditioning": [0], "corrected": [0, 1], "corrections": 1},
    "click": {"kind": CLICK, "conditioning": [0, 2], "corrected": [0, 2], "corrections": 2},
}
LOSSES = {"loss_mask": 20, "loss_dice": 1, "loss_iou": 1, "loss_class": 1}


class FixedPrompts(reference_training.SAM2Train):
    """The reference's training model with a plan and points in place of its draws."""

    def set_scenario(self, scenario, points):
        self.scenario, self.points = scenario, iter(points)
        self.num_correction_pt_per_frame = scenario["corrections"]

    def prepare_prompt_inputs(self, backbone_out, batch, start_frame_idx=0):
        plan = self.scenario
        truth = {t: masks.unsqueeze(1) for t, masks in enumerate(batch.masks)}
        prompts = {t: truth[t] for t in plan["conditioning"]}
        given = {}
        if plan["kind"] != MASK:
            prompts = {}
            for t in plan["conditioning"]:
                given[t] = None  # taken when the frame's turn comes, as ours asks for them
        backbone_out.update(
            gt_masks_per_frame=truth,
            num_frames=batch.num_frames,
            use_pt_input=plan["kind"] != MASK,
            init_cond_frames=plan["conditioning"],
            frames_not_in_init_cond=[
                t for t in range(batch.num_frames) if t not in plan["conditioning"]
            ],
            mask_inputs_per_frame=prompts,
            point_inputs_per_frame=given,
            frames_to_add_correction_pt=plan["corrected"],
        )
        return backbone_out

    def track_step(self, frame_idx, is_init_cond_frame, **options):
        if is_init_cond_frame and self.scenario["kind"] != MASK:
            options["point_inputs"] = self.next_points()
        return super().track_step(frame_idx, is_init_cond_frame, **options)

    def next_points(self):
        coords, labels = next(self.points)
        return {"point_coords": coords, "point_labels": labels}


def build(folder):
    """The small network as the reference trains it."""
    config = json.loads((folder / "config.json").read_text())
    inference = parity_reference.video_predictor_module.SAM2VideoPredictor

    def trained(fill_hole_area, **options):
        del fill_hole_area  # of the predictor alone
        return FixedPrompts(prob_to_use_pt_input_for_train=1.0, **options)

    parity_reference.video_predictor_module.SAM2VideoPredictor = trained
    try:
        model = parity_reference.build_model(config)
    finally:
        parity_reference.video_predictor_module.SAM2VideoPredictor = inference
    state = torch.load(folder / "model.pt", weights_only=True)["model"]
    model.load_state_dict({key: value.float() for key, value in state.items()})
    with torch.no_grad():
        model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias += SCORE_SHIFT
    return model.train().requires_grad_(True)


def clips():
    """Two clips of moving blobs: two objects in the first, one in the second, which leaves it."""
    rng = torch.Generator().manual_seed(1)
    frames = torch.randint(0, 80, (2, FRAMES, 3, SIZE, SIZE), generator=rng, dtype=torch.uint8)
    masks = torch.zeros(3, FRAMES, SIZE, SIZE, dtype=torch.uint8)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    clip_of = [0, 0, 1]
    for t in range(FRAMES):
        shapes = [
            (x - 18 - 4 * t).abs() + (y - 20).abs() < 12,
            (x - 44 + 3 * t) ** 2 + (y - 46) ** 2 < 100,
            ((x - 30 - 22 * t).abs() < 10) & ((y - 30).abs() < 14),
        ]
        for i, shape in enumerate(shapes):
            masks[i, t][shape] = 1
            frames[clip_of[i], t, i][shape] = 200 + 10 * i
    return frames, masks, torch.tensor(clip_of)


def points_of(scenario, masks, rng):
    """As many requests as a step makes, each answered for all objects."""
    count = masks.shape[0]
    requests = []

    def clicks():
        coords = torch.rand(count, 1, 2, generator=rng) * (SIZE - 1)
        return coords.round(), torch.randint(0, 2, (count, 1), generator=rng, dtype=torch.int32)

    order = scenario["conditioning"] + [
        t for t in range(FRAMES) if t not in scenario["conditioning"]
    ]
    for t in order:
        if t in scenario["conditioning"] and scenario["kind"] == CLICK:
            coords, labels = clicks()
            requests.append((coords, torch.ones_like(labels)))
        if t in scenario["conditioning"] and scenario["kind"] == BOX:
            first = torch.rand(count, 1, 2, generator=rng) * 20
            requests.append((
                torch.cat([first, first + 25], 1).round(),
                torch.tensor([[2, 3]], dtype=torch.int32).repeat(count, 1),
            ))
        if t in scenario["corrected"]:
            requests += [clicks() for _ in range(scenario["corrections"])]
    return requests


def main():
    folder, out = map(pathlib.Path, sys.argv[1:])
    torch.set_num_threads(1)
    model = build(folder)
    frames, masks, clip_of = clips()
    pixels = parity_reference.normalised(frames.movedim(2, -1))  # (clips, T, 3, S, S)
    batch = types.SimpleNamespace(
        masks=masks.bool().movedim(1, 0),
        num_frames=FRAMES,
        flat_img_batch=pixels.flatten(0, 1),
        flat_obj_to_img_idx=torch.stack([clip_of * FRAMES + t for t in range(FRAMES)]),
    )
    loss = MultiStepMultiMasksAndIous(
        dict(LOSSES), supervise_all_iou=True, iou_use_l1_loss=True, pred_obj_scores=True
    )
    def run(network, scenario, requests):
        """Losses by short name, and gradients."""
        network.set_scenario(scenario, requests)
        reference_training.get_next_point = lambda **_: network.next_points().values()
        network.add_all_frames_to_correct_as_cond = True
        network.zero_grad()
        losses = loss(network(batch), batch.masks)
        losses["core_loss"].backward()
        assert next(network.points, None) is None, "too many points"
        names = {key: "total" if key == "core_loss" else key[len("loss_"):] for key in losses}
        return {names[key]: torch.as_tensor(value).detach() for key, value in losses.items()}, {
            key: torch.zeros_like(value) if value.grad is None else value.grad.clone()
            for key, value in network.named_parameters()
        }

    moved = build(folder)
    with torch.no_grad():
        for value in moved.parameters():
            value *= 1 + 1e-7 * torch.randn(value.shape, generator=torch.Generator().manual_seed(2))
    tensors = {"frames": frames, "masks": masks, "clip_of": clip_of}
    for name, scenario in SCENARIOS.items():
        requests = points_of(scenario, masks, torch.Generator().manual_seed(1))
        losses, gradients = run(model, scenario, requests)
        _, others = run(moved, scenario, requests)
        for key in ("conditioning", "corrected", "kind", "corrections"):
            tensors[f"{name}/{key}"] = torch.tensor(scenario[key])
        for i, (coords, labels) in enumerate(requests):
            tensors[f"{name}/points/{i}/coords"] = coords
            tensors[f"{name}/points/{i}/labels"] = labels
        for key, value in losses.items():
            tensors[f"{name}/loss/{key}"] = value
        for key, value in gradients.items():
            flat = value.flatten()
            tensors[f"{name}/gradient/{key}"] = flat if flat.numel() <= WHOLE else flat[::STRIDE]
            tensors[f"{name}/noise/{key}"] = (others[key] - value).abs().max()
        print(name, {key: round(float(value), 4) for key, value in losses.items()})
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, out)
    out.chmod(0o644)


if __name__ == "__main__":
    main()
