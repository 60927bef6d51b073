"""Reading checkpoints through the safetensors library, and keeping count of what failed."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import numpy as np
from safetensors import safe_open
from xxhash import xxh64_intdigest

mx.set_default_device(mx.cpu)


def shards(path):
    """The weight files of a directory, or the file itself. Beside a model other tensors may lie."""
    path = Path(path)
    found = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    if not found:
        sys.exit(f"no safetensors file in {path}")
    return [file for file in found if file.name.startswith("model")] or found


def manifest_of(path):
    """What decant wrote about the tensors of one file."""
    with safe_open(path, framework="mlx") as file:
        return json.loads(file.metadata()["decant.manifest"])


def header_of(path):
    """The JSON header of a safetensors file."""
    with open(path, "rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))


def digest_of(data):
    """As docs/FORMAT.md defines it."""
    blocks = (data[start:start + 2**18] for start in range(0, len(data), 2**18))
    values = b"".join(struct.pack("<Q", xxh64_intdigest(block)) for block in blocks)
    return f"{xxh64_intdigest(values):016x}"


def digests_of(path):
    """The digest of every tensor of a file, by name."""
    header = header_of(path)
    header.pop("__metadata__", None)
    data = np.memmap(path, np.uint8, "r")
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    return {
        name: digest_of(data[start + begin:start + end])
        for name, (begin, end) in ((n, r["data_offsets"]) for n, r in header.items())}


def evaluated(decant, path, tokens, window, against=None):
    """What `decant eval` says of a model over a file of token ids; check_eval.py holds it to mlx-lm."""
    done = subprocess.run(
        [decant, "eval", path, "--tokens", tokens, "--context", str(window), "--json", "-q",
         *(["--against", against] if against else [])],
        check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def read_all(path):
    """Every tensor of a checkpoint, by name."""
    tensors = {}
    for shard in shards(path):
        with safe_open(shard, framework="mlx") as file:
            for name in file.keys():
                if name in tensors:
                    sys.exit(f"{name} is in more than one file of {path}")
                tensors[name] = file.get_tensor(name)
    return tensors


def bits_equal(a, b):
    """Whether two arrays agree in dtype, shape, and every bit (so that -0 is not 0)."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    unsigned = {1: mx.uint8, 2: mx.uint16, 4: mx.uint32, 8: mx.uint64}[a.itemsize]
    return bool(mx.array_equal(a.view(unsigned), b.view(unsigned)))


def doubles(array):
    """Float values as numpy float64; exact for every float type mlx has."""
    return np.array(array.astype(mx.float32)).astype(np.float64)


class Checks:
    """Counts checks; prints those that fail, and at the end exits accordingly."""

    def __init__(self):
        self.done = 0
        self.failed = 0

    def require(self, holds, what):
        self.done += 1
        if not holds:
            self.failed += 1
            print(f"  FAILED: {what}")

    def finish(self, summary):
        print(f"  {summary}; {self.done} checks, {self.failed} failed")
        sys.exit(1 if self.failed or not self.done else 0)
