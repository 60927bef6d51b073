"""Tiny checkpoints of real model families, from a catalogue of names, shapes, dtypes and moments.

families.json.gz has for every checkpoint its config.json, and for each of its files the tensors as
[name, dtype, shape, mean, standard deviation]; the moments are missing where they are not finite
or not of floats. Values are drawn by the names of checkpoint and tensor, so that the same catalogue
always gives the same bytes.
"""

import gzip
import json
import math
import re
import zlib
from pathlib import Path

import ml_dtypes
import numpy as np

CATALOGUE = Path(__file__).with_name("families.json.gz")

DTYPES = {
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    "I64": np.dtype(np.int64),
    "I32": np.dtype(np.int32),
    "I16": np.dtype(np.int16),
    "I8": np.dtype(np.int8),
    "U8": np.dtype(np.uint8),
    "BOOL": np.dtype(bool),
}
FLOAT4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
FLOATS = {"BF16", "F16", "F32", "F64"}

# Heads whose rows mlx-lm normalizes when it loads them. Rows of one length would all be scaled
# alike, and an error in that would be hard to see.
UNEVEN_ROWS = {"rc_baichuan_m1": "lm_head.weight", "rc_bailing_moe_normhead": "lm_head.weight"}

# Largest value of float8_e4m3fn, which a block's largest weight is scaled to.
LARGEST_FLOAT8 = 448.0


def load_catalogue():
    with gzip.open(CATALOGUE, "rt") as file:
        return json.load(file)


def generator(*words):
    return np.random.default_rng([zlib.crc32(word.encode()) for word in words])


def is_causal_mask(name, shape):
    return len(shape) == 4 and shape[2] == shape[3] and re.search(r"\.(attn|attention)\.bias$", name)


def draw_floats(random, name, shape, moments):
    """Normal values of these moments; without moments, what tensors that lack them hold."""
    if not moments:
        # Clipping bounds that clip nothing, and what masks add to a score.
        return np.full(shape, math.inf if name.endswith("max") else -math.inf, np.float32)
    mean, deviation = moments
    if deviation == 0:
        return np.full(shape, mean, np.float32)
    values = random.standard_normal(shape, np.float32) * np.float32(deviation) + np.float32(mean)
    if "scale_inv" in name:
        values = np.maximum(np.abs(values), np.float32(mean / 4))
    return values


def draw(checkpoint, config, name, dtype, shape, moments):
    random = generator(checkpoint, name)
    if is_causal_mask(name, shape):
        return np.tril(np.ones(shape, np.float32))
    if dtype in FLOATS:
        values = draw_floats(random, name, shape, moments)
        if UNEVEN_ROWS.get(checkpoint) == name:
            spread = random.uniform(0.3, 4.0, (shape[0], 1)).astype(np.float32)
            values *= spread / np.sqrt(np.mean(spread**2))
        return values
    if dtype.startswith("F8"):
        values = random.standard_normal(shape, np.float32) * np.float32(LARGEST_FLOAT8 / 4.2)
        return np.clip(values, -LARGEST_FLOAT8, LARGEST_FLOAT8)
    # MXFP4: exponents of 2 with an offset of 127, and two values to a byte.
    if dtype == "U8" and name.endswith("_scales"):
        return random.integers(121, 124, shape)
    if dtype == "U8" and name.endswith("_blocks"):
        values = random.standard_normal((*shape, 2), np.float32) * 2.5
        magnitudes = np.searchsorted((FLOAT4[1:8] + FLOAT4[:7]) / 2, np.abs(values))
        nibbles = magnitudes + 8 * (values < 0)
        return nibbles[..., 0] + 16 * nibbles[..., 1]
    if name.endswith("tid2eid"):
        # The experts of each token.
        experts = config.get("n_routed_experts", 4)
        return random.permuted(np.tile(np.arange(experts), (shape[0], 1)), axis=1)[:, :shape[1]]
    return np.zeros(shape)


def make_tensors(checkpoint, entry):
    """All tensors by file and name, as (dtype, array)."""
    drawn = {}
    files = {}
    for file in entry["files"]:
        tensors = files[file["file"]] = {}
        for name, dtype, shape, *moments in file["tensors"]:
            # A matrix of the very moments of another is a copy of it: a tied head, or the
            # embeddings that a block for multi-token prediction has again.
            key = (dtype, *shape, *moments)
            is_comparable = len(moments) == 2 and moments[1] > 0 and math.prod(shape) >= 1024
            if not is_comparable or key not in drawn:
                values = draw(checkpoint, entry["config"], name, dtype, shape, moments)
                drawn[key] = np.asarray(values).astype(DTYPES[dtype]).reshape(shape)
            tensors[name] = (dtype, drawn[key])
    return files


def write_file(path, tensors):
    """A safetensors file; written by hand since the library's writer lacks some of the dtypes."""
    header = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (dtype, array) in tensors.items():
        header[name] = {
            "dtype": dtype, "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


def write_checkpoint(name, entry, folder):
    """Makes the checkpoint in a new folder."""
    folder.mkdir(parents=True)
    files = make_tensors(name, entry)
    for file, tensors in files.items():
        write_file(folder / file, tensors)
    if len(files) > 1:
        every = [(tensor, file) for file, tensors in files.items() for tensor in tensors]
        size = sum(a.nbytes for tensors in files.values() for _, a in tensors.values())
        index = {"metadata": {"total_size": size}, "weight_map": dict(sorted(every))}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    (folder / "config.json").write_text(json.dumps(entry["config"], indent=2))


def read_checkpoint(folder):
    """Every tensor of a folder of safetensors files by name, as (dtype, array of its bytes)."""
    tensors = {}
    for path in sorted(folder.glob("model*.safetensors")):
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        header.pop("__metadata__", None)
        for name, record in header.items():
            begin, end = (8 + length + offset for offset in record["data_offsets"])
            dtype = DTYPES.get(record["dtype"], np.dtype(np.uint8))
            array = np.frombuffer(data[begin:end], dtype)
            if record["dtype"] in DTYPES:
                array = array.reshape(record["shape"])
            tensors[name] = (record["dtype"], array)
    return tensors


def decoded(tensors):
    """The values of every tensor by the name that it has once its scales are applied."""
    values = {}
    for name, (_, array) in tensors.items():
        if name.endswith("_scale_inv") or name.endswith("_scales") and array.dtype == np.uint8:
            continue
        if name.endswith("_blocks") and array.dtype == np.uint8:
            base = name.removesuffix("_blocks")
            nibbles = np.stack([array & 15, array >> 4], axis=-1)
            exponents = tensors[f"{base}_scales"][1].astype(np.int32) - 127
            scaled = FLOAT4[nibbles].reshape(*array.shape[:-1], -1)
            scaled = scaled * np.exp2(exponents.astype(np.float32))[..., None]
            values[base] = scaled.reshape(*array.shape[:-2], -1)
            continue
        values[name] = array.astype(np.float32)
        scales = tensors.get(f"{name}_scale_inv")
        if scales is not None:
            blocks = np.repeat(np.repeat(scales[1], 128, 0), 128, 1)
            rows, columns = array.shape
            values[name] = values[name] * blocks[:rows, :columns]
    return values
