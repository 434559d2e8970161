#!/usr/bin/env python3
"""Compares the peak resident size of the reference implementation (facebookresearch/sam2) and of
vostrack, each in a process of its own that tracks the same objects through the same frames with
the same random weights.

  git clone https://github.com/facebookresearch/sam2 reference
  python benchmarks/compare_memory.py --reference reference --frames 60 --objects 1 16

The reference keeps its pictures on the CPU, as it does by default there. Wants torch, torchvision,
hydra-core, iopath and Pillow in this Python, and the `vostrack` command.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from compare_reference import build_reference, parser_of, write_frames


def boxes_of(objects, width, height):
    """As many boxes side by side and above each other as there are objects."""
    columns = 1
    while columns * columns < objects:
        columns += 1
    step_x, step_y = width / columns, height / columns
    return [(x * step_x + step_x / 8, y * step_y + step_y / 8, (x + 1) * step_x - step_x / 8,
             (y + 1) * step_y - step_y / 8)
            for y in range(columns) for x in range(columns)][:objects]


def track_with_reference(args):
    """What the child process does."""
    import torch
    from PIL import Image

    model = build_reference(args)
    width, height = Image.open(sorted(pathlib.Path(args.child).glob("*.jpg"))[0]).size
    if args.without_attention:
        model.memory_attention.forward = lambda curr, **_: curr[0]
    half = args.precision == "bfloat16"
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
        state = model.init_state(args.child)
        for number, box in enumerate(boxes_of(args.objects[0], width, height)):
            model.add_new_points_or_box(state, frame_idx=0, obj_id=number + 1, box=box)
        frames = sum(1 for _ in model.propagate_in_video(state))
    print(f"{frames} frames", file=sys.stderr)


def peak_mib(command):
    """Runs it: (peak resident MiB, seconds)."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    return usage.ru_maxrss / 1024, time.perf_counter() - start


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--video", default="samples/dog.mp4")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--objects", nargs="+", type=int, default=[1])
    parser.add_argument("--without-attention", action="store_true",
                        help="the reference leaves its memory attention out: a tenth of the time, "
                        "and a bound from below of its peak")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, args.reference)
    if args.child:
        return track_with_reference(args)

    import torch
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        pictures = write_frames(args, folder)
        frames = pictures[0].parent
        width, height = Image.open(pictures[0]).size
        weights = os.path.join(folder, "random.pt")
        torch.save({"model": build_reference(args).state_dict()}, weights)
        for objects in args.objects:
            ours = [args.vostrack, "track", str(frames), "--model", weights, "--config",
                    args.preset, "--precision", args.precision, "--threads", str(args.threads),
                    "--no-overlay", "--quiet", "--out", os.path.join(folder, "out")]
            for number, box in enumerate(boxes_of(objects, width, height)):
                ours += ["--box", f"{number + 1}:" + ",".join(f"{side:.1f}" for side in box)]
            theirs = [sys.executable, __file__, "--reference", args.reference, "--preset",
                      args.preset, "--precision", args.precision, "--threads", str(args.threads),
                      "--objects", str(objects), "--child", str(frames)]
            if args.without_attention:
                theirs.append("--without-attention")
            our_mib, our_s = peak_mib(ours)
            shutil.rmtree(os.path.join(folder, "out"))
            their_mib, their_s = peak_mib(theirs)
            print(f"{args.preset} {args.precision}, {objects} objects, {args.frames} frames: "
                  f"reference {their_mib:.0f} MiB in {their_s:.0f} s, vostrack {our_mib:.0f} MiB "
                  f"in {our_s:.0f} s, {our_mib / their_mib:.2f} of the reference's", flush=True)


if __name__ == "__main__":
    main()
