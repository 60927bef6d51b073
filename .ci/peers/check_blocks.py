#!/usr/bin/env python3
"""Holds blocks of GGUF types that decant writes to those of llama.cpp, tensor by tensor.

usage: check_blocks.py BENCHMARKS CHECKPOINT [--types LIST] [--tensors N] [--times]

Every matrix of CHECKPOINT is quantized to every type, with and without an importance for each input, by
`ggml_quantize_chunk`, which is what llama-quantize calls for each tensor, and by decant (the program Benchmarks,
whose kernels `convert` uses). ggml decodes both. The sum of squared errors, each times its input's importance,
must not be above llama.cpp's for any tensor. Beside the matrices there are tensors of unusual numbers.

Rows that are no whole blocks are cut anew: nothing that is compared knows rows. The importance is made up:
log-normal numbers by input. `--times` prints how long both take, each on one thread.
"""

import argparse
import ctypes
import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gguf_f16
import llama_library
import numpy as np

# Number of the type, weights and bytes of a block: ggml, ggml.h and ggml-common.h.
TYPES = {
    "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q5_0": (6, 32, 22), "Q5_1": (7, 32, 24),
    "Q8_0": (8, 32, 34), "Q2_K": (10, 256, 84), "Q3_K": (11, 256, 110), "Q4_K": (12, 256, 144),
    "Q5_K": (13, 256, 176), "Q6_K": (14, 256, 210),
}


class GGML:
    def __init__(self):
        self.library = llama_library.ggml_base()
        self.library.ggml_quantize_chunk.restype = ctypes.c_size_t

    def quantize(self, name, weights, importance):
        number, length, size = TYPES[name]
        rows, inputs = weights.shape
        blocks = np.zeros(weights.size // length * size, np.uint8)
        start = time.perf_counter()
        written = self.library.ggml_quantize_chunk(
            ctypes.c_int(number), weights.ctypes.data_as(ctypes.c_void_p),
            blocks.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0), ctypes.c_int64(rows),
            ctypes.c_int64(inputs),
            None if importance is None else importance.ctypes.data_as(ctypes.c_void_p))
        assert written == blocks.size, f"{name}: ggml writes {written} bytes, not {blocks.size}"
        return blocks, time.perf_counter() - start

    def dequantize(self, name, blocks):
        _, length, size = TYPES[name]
        weights = np.zeros(blocks.size // size * length, np.float32)
        getattr(self.library, "dequantize_row_" + name.replace("Q", "q"))(
            blocks.ctypes.data_as(ctypes.c_void_p), weights.ctypes.data_as(ctypes.c_void_p),
            ctypes.c_int64(weights.size))
        return weights


def matrices(checkpoint):
    """Names and F32 values of the matrices of a checkpoint."""
    for shard in sorted(Path(checkpoint).glob("*.safetensors")):
        with open(shard, "rb") as file:
            size = struct.unpack("<Q", file.read(8))[0]
            header = json.loads(file.read(size))
        for name, tensor in sorted(header.items()):
            if name == "__metadata__" or len(tensor["shape"]) != 2:
                continue
            begin, end = tensor["data_offsets"]
            data = np.fromfile(shard, np.uint8, end - begin, offset=8 + size + begin)
            values = gguf_f16.numbers(data, tensor["dtype"]).astype(np.float32)
            yield name, values.reshape(tensor["shape"])


def unusual(noise):
    """Tensors that quantizers may stumble over."""
    bell = noise.normal(0, 0.02, (16, 512)).astype(np.float32)
    yield "long tails", (noise.standard_t(3, bell.shape) * 0.02).astype(np.float32)
    yield "one sign", np.abs(bell)
    yield "an offset", bell + np.float32(0.05)
    yield "few are not zero", bell * (noise.random(bell.shape) < 0.05).astype(np.float32)
    yield "whole numbers", np.round(bell * 300)
    yield "three values", np.round(bell * 30) * np.float32(0.013)
    yield "small numbers", bell * np.float32(1e-5)
    yield "rows of all sizes", bell * np.exp(noise.normal(0, 3, (16, 1))).astype(np.float32)
    yield "inputs of all sizes", bell * np.exp(noise.normal(0, 1.5, 512)).astype(np.float32)


def error(weights, decoded, importance):
    difference = decoded.reshape(weights.shape).astype(np.float64) - weights
    return float((difference**2 * (1 if importance is None else importance.astype(np.float64))).sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("benchmarks")
    parser.add_argument("checkpoint")
    parser.add_argument("--types", default=",".join(TYPES))
    parser.add_argument("--tensors", type=int, help="so many of the matrices at most")
    parser.add_argument("--times", action="store_true")
    arguments = parser.parse_args()
    ggml, noise = GGML(), np.random.default_rng(16)
    tensors = list(matrices(arguments.checkpoint))[: arguments.tensors] + list(unusual(noise))
    failures, compared = 0, 0
    for name in arguments.types.split(","):
        _, length, size = TYPES[name]
        # One run of decant for all tensors whose rows are as long.
        groups = {}
        for tensor, weights in tensors:
            inputs = weights.shape[1] if weights.shape[1] % length == 0 else length
            if weights.size % inputs == 0:
                groups.setdefault(inputs, []).append((tensor, weights.reshape(-1, inputs)))
        for is_weighted in [False, True]:
            ratios, seconds = [], [0.0, 0.0]
            for inputs, members in groups.items():
                importance = np.exp(noise.normal(0, 1, inputs)).astype(np.float32)
                importance = importance if is_weighted else None
                blocks, own_seconds = run(arguments.benchmarks, name, inputs, members, importance)
                seconds[0] += own_seconds
                for tensor, weights in members:
                    count = weights.size // length * size
                    own, blocks = blocks[:count], blocks[count:]
                    peer, peer_seconds = ggml.quantize(name, weights, importance)
                    seconds[1] += peer_seconds
                    ours = error(weights, ggml.dequantize(name, own), importance)
                    theirs = error(weights, ggml.dequantize(name, peer), importance)
                    compared += 1
                    if theirs > 0:
                        ratios.append(ours / theirs)
                    if not ours <= theirs:
                        failures += 1
                        print(f"FAIL {name} {tensor}: {ours:.6g}, llama.cpp {theirs:.6g}")
            ratios.sort()
            line = f"{name} {'with importance' if is_weighted else 'plain'}: squared error"
            line += f" {ratios[len(ratios) // 2]:.3f} of llama.cpp's, at most {ratios[-1]:.3f}"
            if arguments.times:
                line += f"; {seconds[0]:.2f} s, llama.cpp {seconds[1]:.2f} s"
            print(line)
    print(f"{compared} tensors compared, {failures} worse than llama.cpp's")
    sys.exit(failures > 0)


def run(benchmarks, name, inputs, members, importance):
    """The blocks that decant makes of matrices, one behind the other, and the seconds that it took."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        np.concatenate([weights.reshape(-1) for _, weights in members]).tofile(scratch / "weights")
        command = [
            benchmarks, "blocks", name, scratch / "weights", scratch / "blocks", "--inputs", str(inputs)]
        if importance is not None:
            importance.tofile(scratch / "importance")
            command += ["--importance", scratch / "importance"]
        seconds = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return np.fromfile(scratch / "blocks", np.uint8), float(seconds)


main()
