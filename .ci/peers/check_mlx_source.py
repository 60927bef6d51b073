#!/usr/bin/env python3
"""Holds what decant makes of a directory that mlx-lm packed against mlx itself.

`decant unpack` must give, bit for bit, what mlx.dequantize does, and `decant validate --against`
the distance from the source that NumPy finds.
"""

import argparse
import json

import mlx.core as mx
import numpy as np

from checkpoints import Checks, bits_equal, doubles, read_all


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed", help="what mlx_lm convert wrote")
    parser.add_argument("source")
    parser.add_argument("--unpacked", required=True, help="what decant unpack wrote")
    parser.add_argument("--validated", required=True, help="JSON of decant validate --against")
    arguments = parser.parse_args()

    packed, source = read_all(arguments.packed), read_all(arguments.source)
    unpacked = read_all(arguments.unpacked)
    with open(arguments.validated, encoding="utf-8") as file:
        report = json.load(file)
    distances = {distance["tensor"]: distance for distance in report["distances"]}
    with open(f"{arguments.packed}/config.json", encoding="utf-8") as file:
        quantization = json.load(file)["quantization"]

    checks = Checks()
    checks.require(report["ok"] and not report["recorded"], "validate holds, and says what it cannot")
    modules = [name.removesuffix(".scales") for name in packed if name.endswith(".scales")]
    for module in modules:
        name = f"{module}.weight"
        decoded = mx.dequantize(
            packed[name], packed[f"{module}.scales"], packed[f"{module}.biases"],
            group_size=quantization["group_size"], bits=quantization["bits"])
        checks.require(bits_equal(decoded, unpacked[name]), f"{name}: unpacked as mlx decodes")
        weights = doubles(source[name])
        error = np.sqrt(
            np.square(weights - doubles(decoded)).sum() / np.square(weights).sum())
        checks.require(
            abs(distances[name]["relative_error"] - error) <= 1e-6 * error,
            f"{name}: distance from the source")
    kept = [name for name in packed if not name.endswith((".scales", ".biases"))]
    kept = [name for name in kept if name.removesuffix(".weight") not in modules]
    for name in kept:
        checks.require(bits_equal(packed[name], unpacked[name]), f"{name}: unpacked as it is")
    checks.require(set(unpacked) == set(kept) | {f"{m}.weight" for m in modules}, "nothing else")
    checks.finish(f"{len(modules)} packed modules of {arguments.packed}")


main()
