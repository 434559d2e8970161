#!/usr/bin/env python3
"""Chooses the pictures that are never trained on and that clicks are evaluated on.

  scripts/hold_back_pictures.py --root train/ > models/held_back_pictures.txt

Reads images/ and masks/ (8-bit: 0 background, 255 not known) and takes, of each source (a name's
part before the first _), a fixed number of pictures in the order of the SHA-256 of "1:NAME". A
picture counts if it has two objects or more of at least a hundredth of its pixels; the evaluation
asks for those and passes over smaller ones. Of camvid all frames of one drive are taken, since the
frames of a drive are much alike. Needs Pillow and numpy.
"""

import argparse
import hashlib
import pathlib

import numpy
from PIL import Image

# Beginnings of names, and how many of each: what a source can spare.
WANTED = {"vocaug_": 120, "ccp_": 60, "coco128_": 30, "camvid_test_0001TP_": 21,
          "camvid_train_0001TP_": 21, "bsds_": 48}
SMALLEST_SHARE = 0.01


def suits(path):
    """Whether the mask has two objects or more that are large enough."""
    labels = numpy.asarray(Image.open(path))
    ids, pixels = numpy.unique(labels, return_counts=True)
    large = [label for label, count in zip(ids, pixels)
             if label not in (0, 255) and count >= SMALLEST_SHARE * labels.size]
    return len(large) >= 2


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", required=True, type=pathlib.Path)
    root = parser.parse_args().root
    names = [path.stem for path in (root / "images").iterdir()]
    names.sort(key=lambda name: hashlib.sha256(f"1:{name}".encode()).hexdigest())
    print("# Never trained on. Made by scripts/hold_back_pictures.py.")
    for beginning, wanted in WANTED.items():
        chosen = []
        for name in names:
            if name.startswith(beginning) and len(chosen) < wanted:
                if suits(root / "masks" / f"{name}.png"):
                    chosen.append(name)
        if len(chosen) < wanted:
            raise SystemExit(f"{beginning}: only {len(chosen)} of {wanted} pictures suit")
        print("\n".join(sorted(chosen)))


if __name__ == "__main__":
    main()
