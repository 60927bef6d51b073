#!/usr/bin/env python3
"""Times other quantizers on a checkpoint of Llama's kind, for the program in Benchmarks.

usage: quantize_speed.py CHECKPOINT SCRATCH --threads N

mlx: every matrix with `mlx.core.quantize`, 4 bits in groups of 64, and `save_safetensors`. It takes the
device and the threads that it takes by itself.
llama.cpp: `llama_model_quantize` from an F16 file that is made once in SCRATCH: every matrix to Q4_0, which is
the nearest to what decant and mlx do, and the mix of widths that is called Q4_K_M.

Both read their input from the page cache and have what they wrote on the disk in the end. Prints one
line of JSON: seconds on the clock and of processors for each, and why others were left out.
"""

import argparse
import fcntl
import json
import os
import resource
import shutil
import time
from pathlib import Path

import gguf_f16
import llama_library

# What a file may hold mostly: its number in llama.h, and whether to leave out the exceptions from it.
LLAMA_TYPES = {"Q4_0": (2, True), "Q4_K_M": (15, False)}


class Skip(Exception):
    """A quantizer that cannot run, and why."""


def synchronize(folder):
    """Puts the files of a folder on the disk, in the way that decant does."""
    for path in Path(folder).iterdir():
        with open(path, "rb+") as file:
            if hasattr(fcntl, "F_FULLFSYNC"):
                fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            else:
                os.fsync(file)


def measure(name, body, output):
    """One run of body, which writes into the folder output."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    body()
    synchronize(output)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    shutil.rmtree(output)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return {"name": name, "wall": wall, "cpu": cpu}


def mlx_runs(checkpoint, scratch, threads):
    try:
        import mlx.core as mx
    except ImportError as error:
        raise Skip(f"mlx: {error}") from None
    shards = sorted(checkpoint.glob("*.safetensors"))
    if "F8_E4M3" in gguf_f16.types(shards):
        raise Skip("mlx: reads no 8-bit floats")

    def quantize():
        for shard in shards:
            packed = {}
            for name, tensor in mx.load(str(shard)).items():
                if tensor.ndim != 2:
                    packed[name] = tensor
                    continue
                parts = mx.quantize(tensor, group_size=64, bits=4)
                for ending, part in zip(["weight", "scales", "biases"], parts):
                    packed[name.removesuffix("weight") + ending] = part
            mx.save_safetensors(str(scratch / "mlx" / shard.name), packed)

    return [measure("mlx, 4 bits", quantize, scratch / "mlx")]


def llama_runs(checkpoint, scratch, threads):
    try:
        quantize = llama_library.quantizer()
    except (ImportError, OSError) as error:
        raise Skip(f"llama.cpp: {error}") from None
    source = scratch / "source.gguf"
    if not source.exists():
        try:
            gguf_f16.write(checkpoint, source)
        except (ImportError, ValueError) as error:
            raise Skip(f"llama.cpp: {error}") from None
    output = scratch / "llama"
    return [
        measure(
            f"llama.cpp, {name}",
            lambda: quantize(source, output / "quantized.gguf", number, pure, threads), output)
        for name, (number, pure) in LLAMA_TYPES.items()
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("scratch", type=Path)
    parser.add_argument("--threads", type=int, required=True)
    arguments = parser.parse_args()
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    report = {"runs": [], "skipped": []}
    for runs in [mlx_runs, llama_runs]:
        try:
            report["runs"] += runs(arguments.checkpoint, arguments.scratch, arguments.threads)
        except Skip as skip:
            report["skipped"].append(str(skip))
    print(json.dumps(report))


if __name__ == "__main__":
    main()
