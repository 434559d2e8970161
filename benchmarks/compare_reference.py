#!/usr/bin/env python3
"""Times the reference implementation (facebookresearch/sam2) and vostrack in turns on the same
random weights, the same picture size and the same number of threads, and prints ratios.

  git clone https://github.com/facebookresearch/sam2 reference
  python benchmarks/compare_reference.py --reference reference \\
      --vostrack build/release/apps/vostrack --preset sam2.1_hiera_t --threads 2

Both track with a full memory bank (num_maskmem memories and 64 pointer tokens). Track is memory
attention, mask decoder and memory encoder together, for all objects. Wants torch, torchvision,
hydra-core and iopath in this Python.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TRACK = ("memory attention", "mask decoder", "memory encoder")


def parser_of(description):
    """A parser with what all comparisons with the reference take."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True, help="checkout of facebookresearch/sam2")
    parser.add_argument("--vostrack", default="build/release/apps/vostrack")
    parser.add_argument("--preset", default="sam2.1_hiera_t")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser


def write_frames(args, folder):
    """The first args.frames frames of args.video as JPEG pictures: their paths."""
    frames = pathlib.Path(folder) / "frames"
    subprocess.run([args.vostrack, "frames", args.video, "--out", frames, "--format", "jpg",
                    "--quiet"], check=True)
    pictures = sorted(frames.iterdir())
    if len(pictures) < args.frames:
        raise SystemExit(f"{args.video} has {len(pictures)} frames, want {args.frames}")
    for picture in pictures[args.frames:]:
        picture.unlink()
    return pictures[:args.frames]


def median_ms(work, rounds, clock, wait=lambda: None):
    times = []
    for _ in range(rounds + 1):
        start = clock()
        result = work()
        wait()
        times.append(1e3 * (clock() - start))
    return statistics.median(times[1:]), result  # the first round warms up


def build_reference(args, device="cpu"):
    import torch
    from sam2.build_sam import build_sam2_video_predictor

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    family = "sam2.1" if args.preset.startswith("sam2.1") else "sam2"
    model = build_sam2_video_predictor(f"configs/{family}/{args.preset}.yaml", None, device=device)
    # Objects are present, so that no mask is blanked.
    model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.data.fill_(5)
    return model


def compile_parts(model):
    """The parts that the reference's own options compile."""
    import torch

    for part in (model.image_encoder, model.memory_attention, model.sam_mask_decoder,
                 model.memory_encoder):
        part.forward = torch.compile(part.forward, dynamic=False)


def time_reference(model, precision, objects, args, clock):
    import torch

    half = precision == "bfloat16"
    device = args.device
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    parts = {}

    def part(name, work):
        parts[name], result = median_ms(work, args.rounds, clock, wait)
        return result

    with torch.inference_mode(), torch.autocast(device.split(":")[0], torch.bfloat16, enabled=half):
        picture = torch.randn(1, 3, model.image_size, model.image_size, device=device)
        encoded = part("encode", lambda: model.forward_image(picture))
        _, features, positions, sizes = model._prepare_backbone_features(encoded)
        side = sizes[-1][0]
        channels = features[-1].shape[-1]
        tokens = model.num_maskmem * side * side + 64
        memory = torch.randn(tokens, objects, model.mem_dim, device=device)
        memory = memory.bfloat16() if half else memory
        memory_positions = torch.randn(tokens, objects, model.mem_dim, device=device)
        current = [features[-1].expand(-1, objects, -1)]
        current_positions = [positions[-1].expand(-1, objects, -1)]
        attended = part("memory attention", lambda: model.memory_attention(
            curr=current, curr_pos=current_positions, memory=memory, memory_pos=memory_positions,
            num_obj_ptr_tokens=64))
        grid = attended.permute(1, 2, 0).view(objects, channels, side, side)
        high_res = [level.permute(1, 2, 0).view(1, -1, *size).expand(objects, -1, -1, -1)
                    for level, size in zip(features[:-1], sizes[:-1])]
        heads = part("mask decoder", lambda: model._forward_sam_heads(
            backbone_features=grid, high_res_features=high_res, multimask_output=True))
        everyone = [level.expand(-1, objects, -1) for level in features]
        part("memory encoder", lambda: model._encode_new_memory(
            everyone, sizes, heads[4], heads[6], False))
    return parts


def time_vostrack(weights, precision, objects, args):
    command = [args.vostrack, "bench", "--model", weights, "--config", args.preset, "--precision",
               precision, "--objects", str(objects), "--threads", str(args.threads), "--rounds",
               str(args.rounds), "--device", args.device, "--json", "-"]
    if args.processor_time:
        command.append("--processor-time")
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)["measurements"][0]["parts_ms"]


def with_sums(parts):
    track = sum(parts[name] for name in TRACK)
    return {"encode": parts["encode"], **{name: parts[name] for name in TRACK}, "track": track,
            "whole frame": parts["encode"] + track}


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"],
                        choices=["float32", "bfloat16"])
    parser.add_argument("--objects", nargs="+", type=int, default=[1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N, of both")
    parser.add_argument("--compile", action="store_true",
                        help="the reference's networks through torch.compile")
    parser.add_argument("--processor-time", action="store_true",
                        help="processor time of all threads instead of the clock's")
    parser.add_argument("--json", help="write the times there too")
    args = parser.parse_args()
    sys.path.insert(0, args.reference)
    import torch

    clock = time.process_time if args.processor_time else time.perf_counter
    model = build_reference(args, args.device)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        weights = os.path.join(folder, "random.pt")
        torch.save({"model": model.state_dict()}, weights)
        if args.compile:
            compile_parts(model)
        for precision in args.precision:
            for objects in args.objects:
                reference = with_sums(time_reference(model, precision, objects, args, clock))
                ours = with_sums(time_vostrack(weights, precision, objects, args))
                print(f"{args.preset} {precision}, {objects} objects, {args.threads} threads, "
                      f"medians of {args.rounds} in ms")
                print(f"{'':18}{'reference':>10}{'vostrack':>10}{'ratio':>8}")
                for name, theirs in reference.items():
                    print(f"{name:18}{theirs:10.1f}{ours[name]:10.1f}"
                          f"{theirs / ours[name]:8.2f}", flush=True)
                results.append({"preset": args.preset, "precision": precision, "objects": objects,
                                "device": args.device, "compiled": args.compile,
                                "threads": args.threads, "reference_ms": reference,
                                "vostrack_ms": ours})
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=2)


if __name__ == "__main__":
    main()
