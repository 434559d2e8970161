#!/usr/bin/env python3
"""Makes and checks parity fixtures: what the reference implementation computes.

The reference is facebookresearch/sam2 at revision 2b90b9f. This script only imports it: put a
checkout on PYTHONPATH, with torch, torchvision, numpy, safetensors, hydra-core, iopath, tqdm and
opencv-python-headless installed. Everything runs on the CPU in float32 with one thread, and
memories are stored in float32 too (the reference's two casts to bfloat16 are switched off).

  make_parity.py --make OUT --seed 1 --config config.json [--steps 20] [--frames 8]
  make_parity.py --check FOLDER...

`--config` takes a file or one of the names in parity_configs.py. A folder gets

  config.json         the network, in the reference's option names
  model.pt            {"model": weights}; with --small in half precision (computed as
                      rounded), the large matrices as windows on one storage
  stages.safetensors  each network alone (left out with --session)
  image.safetensors   the image predictor (left out with --session)
  script.json         the steps of a random session, and
  video.safetensors   its pictures, mask prompts and answers
  noise.json          how far other kernels and two threads move the reference's own numbers

Seeds are tried from --seed upwards until object scores and masks vary and neither other kernels
nor weights moved by 1e-7 change a decision. `--check` replays folders and compares. On a busy
machine set OMP_WAIT_POLICY=PASSIVE: the run on two threads is much faster then.
"""

import argparse
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file

import parity_configs
from parity_random import (
    SessionWriter,
    Witnesses,
    centre_outputs,
    random_pictures,
    robust_parts,
    seed_weights,
    shrink,
    variety,
)
from parity_reference import (
    NO_OBJECT,
    build_model,
    run_image,
    run_script,
    run_stages,
    stage_inputs,
)

UP_TO_DECODER = ("trunk/", "image_encoder/", "prompt/", "memory_encoder/", "memory_attention/")
STAGE_INPUTS = ("input/picture", "memory_encoder/mask_logits", "memory_attention/memory",
                "memory_attention/memory_pos", "memory_attention/num_obj_ptr_tokens")


def is_stage_input(key):
    return key in STAGE_INPUTS or key.endswith(("/coords", "/labels", "/mask_input"))


def load_config(name):
    if name in parity_configs.CONFIGS:
        return parity_configs.CONFIGS[name]
    return json.loads(pathlib.Path(name).read_text())


def rounded(noise):
    return {key: float(f"{value:.3g}") for key, value in sorted(noise.items())}


def load_weights(model, state):
    model.load_state_dict({key: value.float() for key, value in state.items()})


def make(args):
    config = load_config(args.config)
    for seed in range(args.seed, args.seed + args.tries):
        refusal = attempt(args, config, seed)
        if refusal is None:
            return 0
        print(f"seed {seed}: {refusal}", file=sys.stderr, flush=True)
    print(f"no fixture in {args.tries} seeds from {args.seed}", file=sys.stderr)
    return 1


def attempt(args, config, seed):
    """Makes the whole folder from one seed. Returns why the seed does not do, else None."""
    rng = torch.Generator().manual_seed(seed)
    size = config["image_size"]
    model = build_model(config)
    seed_weights(model, rng)
    pictures = random_pictures(args.frames, size, size, rng)
    if args.small:  # first, since sharing values changes the network, then to round what moved
        load_weights(model, shrink(model.state_dict()))
    centre_outputs(model, pictures, args.video_size)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    if args.small:
        state = shrink(state)
    witnesses = Witnesses(config, {key: value.float() for key, value in state.items()}, rng)

    files, noise = {}, {}
    if not args.session:
        height, width = args.image_size
        picture = random_pictures(1, height, width, rng)[0]
        inputs = stage_inputs(model, pictures[0], rng)
        parts = robust_parts(witnesses, inputs, picture)
        if parts is None:
            return "a decision of the stages or the image is close"
        (files["stages"], stage_noise), (files["image"], image_noise) = parts
        noise["stages"] = {k: v for k, v in stage_noise.items() if not is_stage_input(k)}
        noise["image"] = {}
        for key, value in image_noise.items():
            part = key.split("/")[-1]
            if part != "picture":
                noise["image"][part] = max(noise["image"].get(part, 0.0), value)

    writer = SessionWriter(witnesses, pictures, args.video_size, seed)
    if not writer.grow(args.steps, args.objects):
        return f"{writer.refused} steps refused, {len(writer.steps)} kept"
    present, covered = variety(writer.tensors)
    scored = config["model"].get("pred_obj_scores", False)
    if not 0.02 < covered < 0.98 or scored and not 0.2 < present < 0.9:
        return f"objects present {present:.0%}, masks cover {covered:.0%}"
    files["video"] = {"pictures": pictures, **writer.tensors}
    noise["video"] = writer.noise

    out = pathlib.Path(args.make)
    out.mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    torch.save({"model": state}, out / "model.pt")
    for name, tensors in files.items():
        save_file({k: v.contiguous().clone() for k, v in tensors.items()},
                  out / f"{name}.safetensors")
    script = {"video_size": list(args.video_size), "num_frames": args.frames,
              "steps": writer.steps}
    (out / "script.json").write_text(json.dumps(script, indent=1) + "\n")
    noise = {group: rounded(values) for group, values in noise.items()}
    (out / "noise.json").write_text(json.dumps(noise, indent=1) + "\n")
    print(f"{out}: seed {seed}, {len(writer.steps)} steps ({writer.refused} refused), objects "
          f"present {present:.0%}, masks cover {covered:.0%}, noise {noise['video']}", flush=True)
    return None


def limit(group, key, want, noise):
    """The largest difference that rounding may make; see the fixtures' README."""
    part = key if group == "stages" else key.split("/")[-1]
    scale = want[want != NO_OBJECT].abs().max() if (want != NO_OBJECT).any() else torch.tensor(0.0)
    if group == "stages" and key.startswith(UP_TO_DECODER):
        least = 1e-4
    else:
        least = 5e-3 if part.endswith(("masks", "low_res")) else 2e-3
    return max(20 * noise.get(group, {}).get(part, 0.0), 1e-4 * float(scale), least)


def compare(group, got, want, noise):
    """Prints the worst ratio of difference to limit; returns the number of faults."""
    faults, worst, worst_key = 0, 0.0, ""
    for key in sorted(set(got) ^ set(want)):
        print(f"  {group}: {key} is only in the {'answers' if key in got else 'folder'}")
        faults += 1
    for key in sorted(set(got) & set(want)):
        a, b = got[key], want[key]
        if a.shape != b.shape or a.dtype != b.dtype:
            print(f"  {group}: {key} is {tuple(a.shape)} {a.dtype}, "
                  f"want {tuple(b.shape)} {b.dtype}")
            faults += 1
            continue
        a, b = a.float(), b.float()
        ratio = float((a - b).abs().max()) / limit(group, key, b, noise)
        signs = key.endswith(("masks", "object_score")) and (
            ((a > 0) != (b > 0)) & (b.abs() > 0.05)
        ).any()
        if ratio > 1 or signs or ((a == NO_OBJECT) != (b == NO_OBJECT)).any():
            print(f"  {group}: {key} differs by {float((a - b).abs().max()):.3g}")
            faults += 1
        if ratio > worst:
            worst, worst_key = ratio, key
    print(f"  {group}: {len(got)} tensors, worst at {worst:.2g} of its limit {worst_key}")
    return faults


def check(folder):
    """Replays a folder; returns the number of faults."""
    folder = pathlib.Path(folder)
    print(folder)
    config = json.loads((folder / "config.json").read_text())
    noise = json.loads((folder / "noise.json").read_text())
    model = build_model(config)
    state = torch.load(folder / "model.pt", weights_only=True)["model"]
    load_weights(model, state)
    faults = 0
    if (folder / "stages.safetensors").exists():
        want = load_file(folder / "stages.safetensors")
        inputs = {key: value for key, value in want.items() if is_stage_input(key)}
        faults += compare("stages", run_stages(model, inputs), want, noise)
    if (folder / "image.safetensors").exists():
        want = load_file(folder / "image.safetensors")
        faults += compare("image", run_image(model, want["picture"]), want, noise)
    script = json.loads((folder / "script.json").read_text())
    want = load_file(folder / "video.safetensors")
    given = {k: v for k, v in want.items() if k == "pictures" or k.endswith("/mask_input")}
    steps, got = run_script(model, given["pictures"], script, given)
    for ran, written in zip(steps, script["steps"]):
        if ran != written:
            print(f"  step {written['step']}: ran as {ran}")
            faults += 1
    return faults + compare("video", {**got, **given}, want, noise)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--make", metavar="OUT", help="folder to write")
    mode.add_argument("--check", metavar="FOLDER", nargs="+", help="folders to replay")
    parser.add_argument("--config", default="small_sam21",
                        help="file or name (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tries", type=int, default=20, help="seeds to try (default %(default)s)")
    parser.add_argument("--steps", type=int, default=20, help="length of the session")
    parser.add_argument("--frames", type=int, default=8, help="length of the video")
    parser.add_argument("--objects", type=int, default=3, help="most objects at a time")
    parser.add_argument("--video-size", type=int, nargs=2, default=(40, 56), metavar=("H", "W"))
    parser.add_argument("--image-size", type=int, nargs=2, default=(50, 70), metavar=("H", "W"))
    parser.add_argument("--session", action="store_true", help="no stages, no image")
    parser.add_argument("--small", action="store_true",
                        help="weights as float16, the large ones sharing one storage")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.check:
        faults = sum(check(folder) for folder in args.check)
        print(f"{faults} faults")
        return 1 if faults else 0
    return make(args)


if __name__ == "__main__":
    sys.exit(main())
