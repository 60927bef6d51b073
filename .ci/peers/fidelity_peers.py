"""Quantizations of a checkpoint by mlx-lm and llama.cpp, decoded by each one's own library.

Each is brought back to an ordinary checkpoint in F32 under the source's names, so that any forward pass can
run it and only weights differ. Sizes are those of all tensors, as the peer stores them.
"""

import contextlib
import io
import json
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import mlx.core as mx
import numpy as np
from mlx_lm.convert import convert
from safetensors import safe_open
from safetensors.numpy import save_file

import gguf_f16
import llama_library
from checkpoints import read_all

GROUP_SIZE = 64
MLX = {
    **{f"{bits} bits": {"q_bits": bits} for bits in [2, 3, 4, 5, 6]},
    **{f"mixed_{pair}": {"quant_predicate": f"mixed_{pair}"} for pair in ["2_6", "3_4", "3_6", "4_6"]},
}
# Numbers of file types in llama.h.
LLAMA = {
    "IQ2_XS": 20, "IQ2_M": 29, "Q2_K": 10, "IQ3_XXS": 23, "Q3_K_S": 11, "Q3_K_M": 12, "IQ4_XS": 30,
    "Q4_K_S": 14, "Q5_K_M": 17,
}


class Decoded(NamedTuple):
    """One quantization. `folder` holds it until the next one is made."""

    family: str
    name: str
    byte_count: int
    folder: Path


def names():
    """What can be made, as `family name`."""
    return [f"mlx-lm {name}" for name in MLX] + [f"llama.cpp {name}" for name in LLAMA]


def _write(source, tensors, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(source / "config.json", folder)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _mlx_values(tensors, name):
    """The matrix whose codes are called `name`, or a tensor that is not packed."""
    module = name.removesuffix(".weight")
    values = tensors[name]
    if f"{module}.scales" in tensors:
        scales = tensors[f"{module}.scales"]
        bits = 32 * values.shape[-1] // (GROUP_SIZE * scales.shape[-1])
        values = mx.dequantize(
            values, scales, tensors[f"{module}.biases"], group_size=GROUP_SIZE, bits=bits)
    return np.array(values.astype(mx.float32))


def models(source, scratch, names, calibration):
    """All that is asked for, names by family. Where llama.cpp cannot be had it is left out, with a note."""
    yield from _mlx_models(source, scratch, names["mlx-lm"])
    try:
        yield from _llama_models(source, scratch, names["llama.cpp"], calibration)
    except (ImportError, OSError, ValueError) as error:
        print(f"llama.cpp is left out: {error}", file=sys.stderr)


def _mlx_models(source, scratch, wanted):
    """mlx-lm's conversions in groups of 64: one width for all, and its mixed recipes."""
    packed, decoded = scratch / "mlx-packed", scratch / "mlx-decoded"
    for name in wanted:
        shutil.rmtree(packed, ignore_errors=True)
        with contextlib.redirect_stdout(io.StringIO()):
            convert(str(source), str(packed), quantize=True, q_group_size=GROUP_SIZE, **MLX[name])
        tensors = read_all(packed)
        _write(
            source,
            {
                key: _mlx_values(tensors, key)
                for key in tensors if not key.endswith((".scales", ".biases"))
            },
            decoded)
        yield Decoded("mlx-lm", name, sum(array.nbytes for array in tensors.values()), decoded)


def _importance_of(calibration):
    """Mean squares of the inputs of every matrix in a file of `decant calibrate`, by llama.cpp's names."""
    ending = ".input.mean_square"
    with safe_open(calibration, framework="numpy") as file:
        measured = {key.removesuffix(ending): key for key in file.keys() if key.endswith(ending)}
        values = {module: file.get_tensor(key) for module, key in measured.items()}
        shared = json.loads(file.get_tensor("calibration.json").tobytes())["shared_inputs"]
    values |= {module: values[other] for module, other in shared.items()}
    return {
        gguf_f16.gguf_name(f"{module}.weight"): np.ascontiguousarray(array, np.float32)
        for module, array in values.items()
    }


def _llama_models(source, scratch, wanted, calibration):
    """llama.cpp's types, each without and with an importance matrix, under the same name.

    Some are not made without one. Raises ValueError for models not of Llama's kind, ImportError where a
    package is missing.
    """
    if not wanted:
        return
    from gguf import GGUFReader
    from gguf.quants import dequantize

    quantize = llama_library.prebuilt_quantizer()
    plain, quantized, decoded = (scratch / name for name in ["f16.gguf", "llama.gguf", "llama-decoded"])
    gguf_f16.write(source, plain)
    importance = _importance_of(calibration)
    original = {gguf_f16.gguf_name(name): name for name in read_all(source)}
    for name in wanted:
        for values in [None, importance]:
            try:
                quantize(plain, quantized, LLAMA[name], False, 1, values)
            except RuntimeError:
                if values:
                    raise
                continue
            tensors = GGUFReader(quantized).tensors
            _write(
                source,
                {
                    original[tensor.name]: np.ascontiguousarray(
                        dequantize(tensor.data, tensor.tensor_type), np.float32)
                    for tensor in tensors
                },
                decoded)
            yield Decoded("llama.cpp", name, sum(int(tensor.n_bytes) for tensor in tensors), decoded)
