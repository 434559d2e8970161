#!/usr/bin/env python3
"""Gives a small model's mask decoder a start from which it learns to obey clicks and boxes.

  scripts/start_prompts.py models/nano.safetensors started.safetensors
  vostrack train --weights started.safetensors ...

A decoder that starts from random numbers hardly sees where a prompt is: the sines and cosines that
tell places are weak beside what the image's features say, and attention must first learn to
compare them. Here some heads begin with that comparison. With q and k made of the same frequencies,
q.k = sum cos(2 pi f (x - x')) is large where a token's place and a pixel's agree; with k turned by
a quarter, sum sin(2 pi f (x - x')) / f tells on which side of the token a pixel lies, which for a
box's corners is inside and outside. The image's features are made smaller so that places count,
and everything in front of the decoder is scaled to give the same numbers as before. What the
replaced heads had learnt is lost: train on, mostly on single pictures at first.

For models with 128-wide features, eight heads and no more than two decoder layers, such as nano. Needs numpy.
"""

import argparse
import json
import struct

import numpy

DECODER = "sam_mask_decoder.transformer."
PROMPTS = "sam_prompt_encoder."
FEATURES, HEADS = 128, 8
SCALE = 0.3  # of the image's features
# Cycles over half the picture, across and down. The first and fourth are so slow that a sine keeps
# its sign over the whole picture; the next two of each are their odd multiples, as in a square wave.
FREQUENCIES = [(.22, 0), (.66, 0), (1.1, 0), (0, .22), (0, .66), (0, 1.1),
               (2, 0), (0, 2), (1.2, 1.2), (1.2, -1.2)]
SIDES = [([0, 1, 2], [6, 2, 1.2]), ([3, 4, 5], [6, 2, 1.2])]  # frequencies, largest logits
NEAR = [([1, 2, 4, 5], [2.5] * 4), ([2, 6, 5, 7], [2.5] * 4)]  # coarse, fine
DTYPES = {"F32": numpy.float32, "F16": numpy.float16, "I64": numpy.int64}


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        metadata = header.pop("__metadata__", {})
        start = file.tell()
        tensors = {}
        for name, entry in header.items():
            if entry["dtype"] not in DTYPES:
                raise SystemExit(f"{path}: {name} is {entry['dtype']}, want {', '.join(DTYPES)}")
            first, last = entry["data_offsets"]
            file.seek(start + first)
            values = numpy.frombuffer(file.read(last - first), DTYPES[entry["dtype"]])
            values = values.reshape(entry["shape"])
            floating = numpy.issubdtype(values.dtype, numpy.floating)
            tensors[name] = values.astype(numpy.float32) if floating else values
    return tensors, metadata


def write(path, tensors, metadata):
    header, end = {"__metadata__": metadata}, 0
    for name, values in tensors.items():
        dtype = next(key for key, value in DTYPES.items() if value == values.dtype)
        header[name] = {"dtype": dtype, "shape": list(values.shape),
                        "data_offsets": [end, end + values.nbytes]}
        end += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.tobytes())


def shrink_features(w):
    """Coarse image features times SCALE, and the same memories and pointers from them as before."""
    for level in (0, 1):  # strides 32 and 16, which are added up
        for part in ("weight", "bias"):
            w[f"image_encoder.neck.convs.{level}.conv.{part}"] *= SCALE
    w["no_mem_embed"] *= SCALE
    w["memory_encoder.pix_feat_proj.weight"] /= SCALE
    for name in w:
        if name.startswith("memory_attention.layers.") and ("out_proj" in name or "linear2" in name):
            w[name] *= SCALE
    for part in ("weight", "bias"):
        w[f"memory_attention.norm.{part}"] *= SCALE
    to_image = DECODER + "layers.0.cross_attn_token_to_image."
    to_token = DECODER + "layers.0.cross_attn_image_to_token."
    for name in (to_image + "k_proj", to_image + "v_proj", to_token + "q_proj"):
        w[name + ".weight"] /= SCALE
    for part in ("weight", "bias"):
        w[f"{to_token}out_proj.{part}"] *= SCALE


def reserve_places(w):
    """Puts the frequencies in, and keeps everything else small where they are."""
    count = len(FREQUENCIES)
    gaussian = w[PROMPTS + "pe_layer.positional_encoding_gaussian_matrix"]
    gaussian[:, :count] = numpy.transpose(FREQUENCIES)
    places = [*range(count), *range(FEATURES // 2, FEATURES // 2 + count)]
    embeddings = [f"{PROMPTS}point_embeddings.{label}.weight" for label in range(4)]
    embeddings += [PROMPTS + "not_a_point_embed.weight", PROMPTS + "no_mask_embed.weight"]
    embeddings += [f"sam_mask_decoder.{token}.weight"
                   for token in ("iou_token", "mask_tokens", "obj_score_token")]
    for name in embeddings:
        w[name][:, places] = 0
    for part in ("weight", "bias"):
        w[f"{PROMPTS}mask_downscaling.6.{part}"][places] *= .3
        for layer in (0, 1):
            for norm in (1, 2, 3, 4):
                # The last one's features are what masks are made of.
                factor = .5 if (layer, norm) == (1, 4) else .3
                w[f"{DECODER}layers.{layer}.norm{norm}.{part}"][places] *= factor


def start_head(w, attention, head, frequencies, logits, side):
    """Makes a head compare places: how near they are, or which side."""
    size = FEATURES // 2 // HEADS
    rows = slice(size * head, size * (head + 1))
    query, key = (w[f"{attention}{name}.weight"] for name in ("q_proj", "k_proj"))
    for name in ("q_proj", "k_proj"):
        w[f"{attention}{name}.weight"][rows] = 0
        w[f"{attention}{name}.bias"][rows] = 0
    for i, (sine, logit) in enumerate(zip(frequencies, logits)):
        row, cosine = rows.start + 2 * i, FEATURES // 2 + sine
        factor = numpy.sqrt(logit * numpy.sqrt(size))
        query[row, sine] = query[row + 1, cosine] = factor
        if side:
            key[row, cosine], key[row + 1, sine] = factor, -factor
        else:
            key[row, sine] = key[row + 1, cosine] = factor


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="safetensors file to start from")
    parser.add_argument("out", help="safetensors file to write")
    arguments = parser.parse_args()
    w, metadata = read(arguments.model)
    wide = w[PROMPTS + "pe_layer.positional_encoding_gaussian_matrix"].shape[1] * 2
    if wide != FEATURES:
        raise SystemExit(f"{arguments.model}: features are {wide} wide, want {FEATURES}")
    shrink_features(w)
    reserve_places(w)
    for layer in (0, 1):
        to_token = f"{DECODER}layers.{layer}.cross_attn_image_to_token."
        for head, (frequencies, logits) in enumerate(SIDES):
            start_head(w, to_token, head, frequencies, logits, side=True)
        for head, (frequencies, logits) in enumerate(NEAR):
            start_head(w, to_token, len(SIDES) + head, frequencies, logits, side=False)
        w[to_token + "v_proj.weight"][:FEATURES // 4] *= 2
    for attention in ("layers.0.cross_attn_token_to_image.", "layers.1.cross_attn_token_to_image.",
                      "final_attn_token_to_image."):
        for head, (frequencies, logits) in enumerate(NEAR):
            start_head(w, DECODER + attention, head, frequencies, logits, side=False)
    write(arguments.out, w, metadata)


if __name__ == "__main__":
    main()
