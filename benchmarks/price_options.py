#!/usr/bin/env python3
"""What options that trade accuracy for speed cost and give, as a table in Markdown.

  python benchmarks/price_options.py --root DAVIS \\
      --sequences bear,blackswan,cows,dog,soapbox,libby --threads 2

Each row is one option of `vostrack track` and `vostrack eval`: J&F over the sequences from their
first mask, and the time of a frame from picture file to mask file, against tracking without options
in the same run. Times are medians over rounds in which all rows take turns, of one sequence, with
its object and with eight that are marked by boxes, four by two, which cover the picture; with
--processor-time, of the time that the processor's cores worked, for machines that are not idle.
DAVIS's cameras always move, so --hold-still is also shown on a copy of the sequences where every
picture stands for three frames, each with noise of its own (this wants numpy and Pillow).
"""
import argparse
import json
import os
import resource
import shutil
import statistics
import struct
import subprocess
import tempfile

ROWS = [
    ("fewer memories", "--recent-memories 3 --recent-pointers 7"),
    ("", "--recent-memories 1 --recent-pointers 3"),
    ("sparse memories", "--sparse-memories 1"),
    ("", "--sparse-memories 1 --recent-memories 3 --recent-pointers 7"),
    ("pooled memories", "--pooled-memories"),
    ("", "--pooled-memories --sparse-memories 1"),
    ("lower input size", "--size 320"),
    ("", "--size 256"),
    ("precision", "--precision bfloat16"),
    ("", "--precision int8"),  # for processors with AVX-512 VNNI
    ("keyframes", "--keyframes 2"),
    ("", "--keyframes 3"),
    ("", "--keyframes 4"),
    ("several", "--sparse-memories 1 --keyframes 2"),
    ("still scenes", "--hold-still 2"),
]
STILL = [("still scenes, each picture three times", "--hold-still 2")]
BUDGETS = (0.8, 0.5, 0.3)  # of a frame's time without options
REPEATS = 3
NOISE = 3  # grey levels, standard deviation


def evaluate(args, root, sequences, options, out):
    command = [args.vostrack, "eval", "--root", root, "--sequences", sequences, "--prompt", "mask",
               "--jobs", "1", "--threads", str(args.threads), "--worst", "0", "--quiet",
               "--overwrite", "--out", out] + options.split()
    if args.model:
        command += ["--model", args.model]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(os.path.join(out, "report.json")) as file:
        report = json.load(file)
    frames = sum(one["tracked_frames"] for one in report["sequences"])
    held = sum(one["speed"]["still_frames"] + one["speed"]["between_frames"]
               for one in report["sequences"])
    return {"jf": 100 * report["all"]["jf"], "held": held / frames}


def prompts(first_mask, eight):
    if not eight:
        return ["--mask", first_mask]
    with open(first_mask, "rb") as file:
        width, height = struct.unpack(">II", file.read(24)[16:])  # of a PNG
    boxes = []
    for i in range(8):
        left, top = i % 4 * width // 4, i // 4 * height // 2
        boxes += ["--box", f"{i + 1}:{left},{top},{left + width // 4 - 1},{top + height // 2 - 1}"]
    return boxes


def track_s(args, root, options, eight, out):
    """Seconds and frames of the timed sequence."""
    pictures = os.path.join(root, "JPEGImages", "480p", args.timed)
    masks = os.path.join(root, "Annotations", "480p", args.timed)
    first = os.path.join(masks, sorted(os.listdir(masks))[0])
    command = [args.vostrack, "track", pictures, "--threads", str(args.threads), "--no-overlay",
               "--no-rle", "--quiet", "--overwrite", "--out", out]
    command += prompts(first, eight) + options.split()
    if args.model:
        command += ["--model", args.model]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Threads that wait do not work.
    environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE") if args.processor_time else None
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(os.path.join(out, "summary.json")) as file:
        summary = json.load(file)
    worked = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seconds = worked if args.processor_time else summary["seconds"]["tracking"]
    return seconds, summary["frames"]["tracked"]


def frame_ms(args, root, options, eight, out):
    """Without what the first frame takes, and the model's loading."""
    first, one = track_s(args, root, options + " --end 0", eight, out)
    whole, frames = track_s(args, root, options, eight, out)
    return 1e3 * (whole - first) / (frames - one)


def slow_down(args, out):
    """Every picture for REPEATS frames, with noise."""
    import numpy
    from PIL import Image

    noise = numpy.random.default_rng(0)
    for sequence in args.sequences.split(","):
        for kind, suffix in (("JPEGImages", ".jpg"), ("Annotations", ".png")):
            source = os.path.join(args.root, kind, "480p", sequence)
            target = os.path.join(out, kind, "480p", sequence)
            os.makedirs(target)
            for i, name in enumerate(sorted(os.listdir(source))):
                for repeat in range(REPEATS):
                    path = os.path.join(target, f"{REPEATS * i + repeat:05}{suffix}")
                    if kind == "Annotations":
                        shutil.copyfile(os.path.join(source, name), path)
                        continue
                    picture = numpy.asarray(Image.open(os.path.join(source, name)).convert("RGB"))
                    noisy = picture + noise.normal(0, NOISE, picture.shape)
                    Image.fromarray(noisy.clip(0, 255).astype(numpy.uint8)).save(path, quality=95)


def table(args, root, rows, out, eight=True):
    """Scores of all sequences, then rounds of times."""
    rows = [("exact", "")] + rows
    scores = {}
    for _, options in rows:
        try:
            scores[options] = evaluate(args, root, args.sequences, options, out)
        except subprocess.CalledProcessError:  # it has said why
            if "--precision" not in options:
                raise
    rows = [row for row in rows if row[1] in scores]
    # One object or eight, and options: milliseconds.
    times = {(many, options): [] for many in ([False, True] if eight else [False])
             for _, options in rows}
    for _ in range(args.rounds):
        for many, options in times:
            times[many, options].append(frame_ms(args, root, options, many, out))
    medians = {key: statistics.median(each) for key, each in times.items()}
    for name, options in rows:
        cells = [name, f"`{options}`" if options else ""]
        for many in (False, True):
            ms = medians.get((many, options))
            cells += [f"{ms:.1f}", f"{medians[many, ''] / ms:.2f}"] if ms else ["", ""]
        jf = scores[options]["jf"]
        cells += [f"{jf:.1f}", f"{jf - scores['']['jf']:+.1f}",
                  f"{100 * scores[options]['held']:.0f} %"]
        print("| " + " | ".join(cells) + " |", flush=True)
    return medians[False, ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", required=True, help="folder of DAVIS")
    parser.add_argument("--sequences", default="bear,blackswan,cows,dog,soapbox,libby")
    parser.add_argument("--timed", default="dog", help="sequence that is timed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processor-time", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--vostrack", default="build/release/apps/vostrack")
    parser.add_argument("--model", help="checkpoint [default: the one that ships]")
    args = parser.parse_args()
    if args.timed not in args.sequences.split(","):
        parser.error("--timed: want one of --sequences")
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "report")
        print("| | options | ms a frame | faster | of eight objects | faster | J&F | change | "
              "not tracked |\n|---|---|--:|--:|--:|--:|--:|--:|--:|")
        exact_ms = table(args, args.root, ROWS, out)
        budgets = [("budget" if i == 0 else "", f"--budget {share * exact_ms:.0f}")
                   for i, share in enumerate(BUDGETS)]
        table(args, args.root, budgets, out, eight=False)
        slow = os.path.join(folder, "slow")
        slow_down(args, slow)
        table(args, slow, STILL, out, eight=False)


if __name__ == "__main__":
    main()
