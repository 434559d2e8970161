"""Digests the published checkpoints' names and shapes into tests/data/preset_digests.json.

    python tests/data/make_preset_digests.py preset_state_dicts.json

The input holds, for each preset, {name: shape} of the reference network's state_dict. The digest is
the CRC-32 of the lines "name 7,1,1,64" sorted by name.
"""

import json
import math
import pathlib
import sys
import zlib

presets = json.loads(pathlib.Path(sys.argv[1]).read_text())
digests = {}
for preset, shapes in presets.items():
    lines = "".join(f"{name} {','.join(map(str, shapes[name]))}\n" for name in sorted(shapes))
    digests[preset] = {
        "keys": len(shapes),
        "parameters": sum(math.prod(shape) for shape in shapes.values()),
        "crc32": zlib.crc32(lines.encode()),
    }
path = pathlib.Path(__file__).parent / "preset_digests.json"
path.write_text(json.dumps(digests, indent=1) + "\n")
