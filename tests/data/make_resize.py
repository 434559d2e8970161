"""Makes tests/data/resize/pil_bicubic.safetensors: pictures and what Pillow 13.0 resizes them to.

    python tests/data/make_resize.py

"N.in" is a picture, "N.out" the same after Image.resize with bicubic. The extremes of black and
white make the filter overshoot, so that clipping is seen too.
"""

import pathlib

import numpy
import safetensors.numpy
from PIL import Image

CASES = [((7, 9), (16, 12)), ((33, 21), (8, 8)), ((13, 40), (13, 32)), ((40, 13), (32, 13)),
         ((5, 5), (11, 3)), ((64, 48), (15, 17)), ((1, 1), (4, 4)), ((6, 31), (32, 32))]

random = numpy.random.default_rng(7)
tensors = {}
for number, ((height, width), (out_height, out_width)) in enumerate(CASES):
    picture = random.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
    picture[: height // 2] = 255 * (picture[: height // 2] > 127)
    resized = Image.fromarray(picture).resize((out_width, out_height), Image.Resampling.BICUBIC)
    tensors[f"{number}.in"] = picture
    tensors[f"{number}.out"] = numpy.array(resized)
folder = pathlib.Path(__file__).parent / "resize"
folder.mkdir(exist_ok=True)
safetensors.numpy.save_file(tensors, folder / "pil_bicubic.safetensors")
