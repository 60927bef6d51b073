"""Tensors of checkpoints and dumps as NumPy arrays of float32, read without decant."""

import json
import re
from collections import defaultdict
from pathlib import Path

import ml_dtypes
import numpy as np

from checkpoints import header_of, shards

DTYPES = {
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
    "F16": np.float16,
    "BF16": ml_dtypes.bfloat16,
    "F32": np.float32,
    "F64": np.float64,
}
SMALLEST_NORMAL = {"F16": 2.0**-14}  # all others are measured as F32 or have its exponents


class Tensor:
    """One tensor; of a dump with all its chunks."""

    def __init__(self, name, dtype, parts, scale=None, is_transposed=False):
        self.name, self.dtype, self.scale = name, dtype, scale
        self.part_lengths = [len(part) if part.ndim else 1 for part in parts]
        stored = parts[0] if len(parts) == 1 else np.concatenate(parts)
        self.shape = list(stored.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            self.values = stored.astype(np.float32)
            if scale is not None:
                self.values = self.values * scale
        self.is_transposed = is_transposed
        self.is_exact = dtype in ("F16", "BF16")

    @property
    def clean(self):
        """With 0 in place of NaN and infinities."""
        return np.where(np.isfinite(self.values), self.values, np.float32(0))

    @property
    def matrix(self):
        """As rows of one output each; stacks one after the other."""
        values = self.clean
        if self.is_transposed:
            values = values.swapaxes(-1, -2)
        return np.ascontiguousarray(values).reshape(-1, values.shape[-1])


def stored_tensors(path):
    """Name, dtype and stored values of every floating-point tensor of a file."""
    entries = header_of(path)
    entries.pop("__metadata__", None)
    data = np.memmap(path, np.uint8, "r")
    start = 8 + int.from_bytes(data[:8].tobytes(), "little")
    for name, entry in entries.items():
        if entry["dtype"] in DTYPES:
            begin, end = (start + offset for offset in entry["data_offsets"])
            values = np.frombuffer(data[begin:end].tobytes(), DTYPES[entry["dtype"]])
            yield name, entry["dtype"], values.reshape(entry["shape"])


def expanded_scale(scale, shape, block):
    """A weight's scales, one for each element: of the tensor, of rows, or of blocks."""
    scale = scale.astype(np.float32)
    if scale.size == 1:
        return scale.reshape(())
    if scale.size == shape[0]:
        return scale.reshape(-1, 1)
    rows = np.repeat(scale, block[0], axis=0)[:shape[0]]
    return np.repeat(rows, block[1], axis=1)[:, :shape[1]]


def read_config(path):
    path = Path(path)
    config = (path if path.is_dir() else path.parent) / "config.json"
    return json.loads(config.read_text()) if config.exists() else {}


def read_weights(path):
    """What decant measures of a checkpoint, by name: not the scales of 8-bit floats, and not an
    output head that repeats the embedding."""
    config = read_config(path)
    stored = {n: (d, v) for file in shards(path) for n, d, v in stored_tensors(file) if v.size}
    is_conv1d = config.get("model_type") == "gpt2"
    block = (config.get("quantization_config") or {}).get("weight_block_size", [128, 128])
    tensors = {}
    scales = set()
    for name, (dtype, values) in stored.items():
        scale = None
        if dtype.startswith("F8"):
            used = next(name + end for end in ("_scale_inv", "_scale") if name + end in stored)
            scales.add(used)
            scale = expanded_scale(stored[used][1], values.shape, block)
        transposed = is_conv1d and re.search(r"\.(c_attn|c_fc|c_proj)\.weight$", name) is not None
        tensors[name] = Tensor(name, dtype, [values], scale, transposed)
    for name in scales:
        del tensors[name]
    head, embedding = tensors.get("lm_head.weight"), tensors.get("model.embed_tokens.weight")
    if config.get("tie_word_embeddings") and head and embedding:
        if np.array_equal(head.values, embedding.values):
            del tensors["lm_head.weight"]
    return tensors


def read_dumps(paths):
    """The tensors of dumps by the names that docs/DUMPS.md gives them, without chunk numbers."""
    chunks = defaultdict(list)
    for file, path in enumerate(paths):
        for name, dtype, values in stored_tensors(path):
            subject, number = re.fullmatch(r"(.+?)(?:\.(\d+))?", name).groups()
            cache = re.fullmatch(r"(?:.+\.)?(layers\.\d+\.(?:key|value|latent|rope_key))", subject)
            if not cache:
                values = values.reshape(-1, values.shape[-1])
            key = cache[1] if cache else subject
            chunks[key].append((int(number or 0), file, dtype, values))
    tensors = {}
    for name, parts in chunks.items():
        parts.sort(key=lambda part: part[:2])
        tensors[name] = Tensor(name, parts[0][2], [part[3] for part in parts])
        metadata = header_of(paths[parts[0][1]]).get("__metadata__") or {}
        tensors[name].rope = metadata.get("rope")
    return tensors
