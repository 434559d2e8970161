"""Makes the small checkpoints in tests/data/checkpoints with PyTorch 2.13 and safetensors 0.8.

    python tests/data/make_checkpoints.py [folder of the parity fixtures]

Numbers are counted up, so that the tests know them: element i of a tensor is i minus its number
of elements halved. With the parity fixtures' folder, also their checksums are written.
"""

import collections
import io
import pathlib
import sys
import zipfile
import zlib

import safetensors.torch
import torch

FOLDER = pathlib.Path(__file__).parent / "checkpoints"
DTYPES = {
    "f64": torch.float64, "f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16,
    "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8,
    "u8": torch.uint8, "bool": torch.bool,
}


def counted(*shape, dtype=torch.float32):
    count = torch.Size(shape).numel()
    numbers = torch.arange(count) - count // 2
    return (numbers % 2 if dtype in (torch.bool, torch.uint8) else numbers).to(dtype).reshape(shape)


def state():
    tensors = collections.OrderedDict(
        (f"types.{name}", counted(3, 5, dtype=dtype)) for name, dtype in DTYPES.items())
    tensors["scalar"] = torch.tensor(7.5)
    tensors["empty"] = torch.empty(0, 4)
    tensors["parameter"] = torch.nn.Parameter(counted(4, 6))
    return tensors


def views():
    """Tensors that share a storage, as torch.save keeps them."""
    whole = counted(6, 8)
    return collections.OrderedDict(
        whole=whole, tied=whole, row=whole[2], transposed=whole.t(), column=whole[:, 3],
        inner=whole[1:3, 2:5], expanded=whole[:1].expand(3, 8))


def repacked(data):
    """The same archive with deflated entries."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, \
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(zipfile.ZipInfo(entry.filename), source.read(entry),
                            zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def saved(value, **options):
    data = io.BytesIO()
    torch.save(value, data, **options)
    return data.getvalue()


def parity_checksums(folder):
    lines = []
    for path in sorted(folder.glob("*/model.pt")):
        tensors = torch.load(path, weights_only=True)["model"]
        checksum = 0
        for name in sorted(tensors):
            checksum = zlib.crc32(tensors[name].contiguous().numpy().tobytes(), checksum)
        lines.append(f"{path.parent.name}\t{len(tensors)}\t{checksum}\n")
    (FOLDER / "parity_checksums.tsv").write_text("".join(lines))


def main():
    FOLDER.mkdir(exist_ok=True)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    for i, (name, tensor) in enumerate(module.state_dict().items()):
        tensor.fill_(i)
    optimizer = torch.optim.Adam(module.parameters())
    module(torch.ones(4, 3)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        for i, tensor in enumerate(module.state_dict().values()):
            tensor.fill_(i)
    files = {
        "types.pt": saved({"model": state()}),
        "types_bare.pt": saved(dict(state())),
        "types_protocol4.pt": saved({"state_dict": state()}, pickle_protocol=4),
        "types_deflated.pt": repacked(saved({"model": state()})),
        "views.pt": saved({"model": views()}),
        "training.pt": saved({"model": module.state_dict(), "optimizer": optimizer.state_dict(),
                              "epoch": 3, "loss": 0.25, "device_dtype": torch.float16,
                              "size": torch.Size([2, 3]), "big": 2**40, "note": "ok"}),
        "legacy.pt": saved({"model": {"weight": counted(2, 2)}},
                           _use_new_zipfile_serialization=False),
        "whole_module.pt": saved(module),
        "types.safetensors": safetensors.torch.save(
            {name: tensor.detach() for name, tensor in state().items()},
            metadata={"config": "{\"size\": 1}", "author": "torch"}),
    }
    for name, data in files.items():
        (FOLDER / name).write_bytes(data)
    if len(sys.argv) > 1:
        parity_checksums(pathlib.Path(sys.argv[1]))


if __name__ == "__main__":
    main()
