#!/usr/bin/env python3
"""A table in Markdown, and a plot, of what `vostrack bench --json FILE` measured.

  vostrack bench --size 256,512,768,1024 --objects 1,2,4,8,16,32 --precision float32,bfloat16 \\
      --json nano.json
  python benchmarks/frame_grid.py nano.json --plot frames.png

A row for each model, precision, number of threads and size; a column for each number of objects,
with a frame's milliseconds. Several files go into one table and one plot. The plot wants matplotlib.
"""
import argparse
import json
import os


def read(paths):
    """{(model, precision, threads, px): {objects: measurement}}, in the files' order."""
    rows = {}
    for path in paths:
        with open(path) as file:
            report = json.load(file)
        model = os.path.basename(report["model"]).split(",")[0].removesuffix(".safetensors")
        for one in report["measurements"]:
            key = (model, one["precision"], one["threads"], one["image_size"])
            rows.setdefault(key, {})[one["objects"]] = one
    return rows


def print_table(rows):
    objects = sorted({count for row in rows.values() for count in row})
    print("| model | precision | threads | px | " +
          " | ".join(f"{count} object{'s' if count > 1 else ''}" for count in objects) +
          " | peak MiB |")
    print("|---|---|--:|--:|" + "--:|" * (len(objects) + 1))
    for (model, precision, threads, size), row in rows.items():
        times = [f"{row[count]['frame_ms']:.1f}" if count in row else "" for count in objects]
        # The peak is that of the process since the model was loaded.
        peak = max(one["peak_resident_mib"] for one in row.values())
        print(f"| {model} | {precision} | {threads} | {size} | " + " | ".join(times) +
              f" | {peak:.0f} |")


def plot(rows, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot

    most = {model: max(threads for one, _, threads, _ in rows if one == model)
            for model, _, _, _ in rows}
    models = [model for model in most
              if any(len(row) > 1 for (one, *_), row in rows.items() if one == model)]
    figure, axes = pyplot.subplots(1, len(models), figsize=(6 * len(models), 4), squeeze=False)
    for axis, model in zip(axes[0], models):
        sizes = sorted({size for one, _, _, size in rows if one == model})
        for (one, precision, threads, size), row in rows.items():
            if one != model or threads != most[model]:
                continue
            axis.plot(sorted(row), [row[count]["frame_ms"] for count in sorted(row)], marker="o",
                      markersize=3, linestyle="-" if precision == "float32" else "--",
                      color=f"C{sizes.index(size)}", label=f"{size} px, {precision}")
        counts = sorted({count for (one, *_), row in rows.items() if one == model for count in row})
        axis.set(xscale="log", yscale="log", xlabel="objects", ylabel="milliseconds a frame",
                 title=f"{model}, {most[model]} threads", xticks=counts, xticklabels=counts)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="+", metavar="FILE", help="of `vostrack bench --json`")
    parser.add_argument("--plot", metavar="FILE", help="picture to write")
    args = parser.parse_args()
    rows = read(args.reports)
    print_table(rows)
    if args.plot:
        plot(rows, args.plot)


if __name__ == "__main__":
    main()
