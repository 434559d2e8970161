#!/usr/bin/env python3
"""How far vostrack's masks are from the reference implementation's (facebookresearch/sam2), beside
how far the reference is from itself: the same random weights, pictures and box, at full size.

  git clone https://github.com/facebookresearch/sam2 reference
  python benchmarks/compare_masks.py --reference reference --frames 8

float32: the largest difference of a frame's low-resolution logits to the reference, against the
move of the reference's own logits when it runs on one thread and with other kernels. bfloat16:
overlap of masks with the reference in float32, against the reference's own in bfloat16. Pictures
have the network's size, so that nothing is resized. Wants torch, torchvision, hydra-core, iopath,
safetensors and Pillow in this Python, and the `vostrack` command.
"""
import json
import os
import subprocess
import sys
import tempfile

from compare_reference import build_reference, parser_of, write_frames


def track_with_reference(model, frames, box, precision):
    """(frames, 1, H/4, W/4) float32 logits."""
    import torch

    logits = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16,
                                                enabled=precision == "bfloat16"):
        state = model.init_state(str(frames))
        model.add_new_points_or_box(state, frame_idx=0, obj_id=1, box=box)
        for frame, _, _ in model.propagate_in_video(state):
            stored = state["output_dict_per_obj"][0]
            kind = "cond_frame_outputs" if frame == 0 else "non_cond_frame_outputs"
            logits.append(stored[kind][frame]["pred_masks"][0].float())
    return torch.stack(logits)


def configuration(args, weights, folder):
    """A file with the preset, without filling of holes: the reference does that on GPUs alone."""
    shown = subprocess.run([args.vostrack, "info", weights, "--config", args.preset, "--json"],
                           check=True, stdout=subprocess.PIPE).stdout
    config = json.loads(shown)["config"]
    config["predictor"]["fill_hole_area"] = 0
    path = os.path.join(folder, "config.json")
    with open(path, "w") as file:
        json.dump(config, file)
    return path


def track_with_vostrack(args, weights, config, frames, box, precision, folder):
    import torch
    from safetensors import safe_open

    session = os.path.join(folder, f"{precision}.session")
    subprocess.run([args.vostrack, "track", frames, "--model", weights, "--config",
                    config, "--precision", precision, "--threads", str(args.threads), "--box",
                    ",".join(str(side) for side in box), "--no-overlay", "--quiet", "--overwrite",
                    "--out", os.path.join(folder, "out"), "--save-session", session], check=True,
                   stdout=subprocess.DEVNULL)
    logits = {}
    with safe_open(session, "pt") as file:
        for key in file.keys():
            if key.endswith(".mask_logits"):
                numbers = file.get_tensor(key.replace(".mask_logits", ".frames"))
                logits.update(zip(numbers.tolist(), file.get_tensor(key).float()))
    return torch.stack([logits[frame].reshape(1, *logits[frame].shape[-2:])
                        for frame in sorted(logits)])


def overlap(logits, truth):
    """The mean overlap of masks over frames."""
    ious = []
    for one, other in zip(logits > 0, truth > 0):
        union = (one | other).sum().item()
        ious.append((one & other).sum().item() / union if union else 1.0)
    return sum(ious) / len(ious)


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--video", default="samples/dog.mp4")
    parser.add_argument("--frames", type=int, default=8)
    args = parser.parse_args()
    sys.path.insert(0, args.reference)
    import torch
    from PIL import Image

    model = build_reference(args)
    side = model.image_size
    box = [side * part for part in (0.35, 0.5, 0.55, 0.77)]
    with tempfile.TemporaryDirectory() as folder:
        pictures = write_frames(args, folder)
        frames = pictures[0].parent
        for picture in pictures:
            Image.open(picture).resize((side, side)).save(picture, quality=95)
        weights = os.path.join(folder, "random.pt")
        torch.save({"model": model.state_dict()}, weights)
        truth = track_with_reference(model, frames, box, "float32")
        half = track_with_reference(model, frames, box, "bfloat16")
        torch.set_num_threads(1)
        torch.backends.mkldnn.enabled = False
        torch.backends.cuda.enable_flash_sdp(False)  # of CPUs too
        moved = track_with_reference(model, frames, box, "float32")
        config = configuration(args, weights, folder)
        ours = {precision: track_with_vostrack(args, weights, config, frames, box, precision,
                                               folder)
                for precision in ("float32", "bfloat16")}

    print(f"{args.preset}, {side} px, {args.frames} frames; logits from {truth.min():.3g} to "
          f"{truth.max():.3g}, {100 * (truth > 0).float().mean():.1f} % above 0")
    print("float32, largest difference of logits to the reference on each frame")
    print(f"{'frame':>5}{'reference moved':>17}{'vostrack':>11}{'ratio':>8}")
    for frame in range(args.frames):
        move = (moved[frame] - truth[frame]).abs().max().item()
        off = (ours["float32"][frame] - truth[frame]).abs().max().item()
        print(f"{frame:5}{move:17.3g}{off:11.3g}{off / move if move else float('inf'):8.2f}")
    print(f"bfloat16, overlap with the reference in float32: reference {overlap(half, truth):.4f}, "
          f"vostrack {overlap(ours['bfloat16'], truth):.4f}")


if __name__ == "__main__":
    main()
