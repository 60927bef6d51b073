#!/usr/bin/env python3
"""Holds a calibration, and what is made from it, against NumPy.

usage: check_calibration.py DECANT SOURCE --text TEXT

decant calibrates on the first half of the tokens. The file is read with the safetensors library: Gram matrices must
have mean squares on their diagonals and no negative eigenvalues. Plans by measured loss are converted and evaluated
on the second half: they must lose less than plans by guessed weights of the same size, and about what they
predict. The same file must give the same bytes with one thread, and without the processor's later instructions.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from check_plan import windows_of
from checkpoints import Checks, evaluated

TOKENS = 4096
BITS_PER_WEIGHT = [2.75, 3.5, 4.5]
# Of the divergence that a plan predicts: those of single tensors need not add up.
FACTOR = 1.6


def triangle(values):
    order = int((np.sqrt(8 * len(values) + 1) - 1) / 2)
    matrix = np.zeros((order, order))
    matrix[np.tril_indices(order)] = values
    return matrix + np.tril(matrix, -1).T


def check_moments(checks, path):
    tensors = load_file(path)
    record = json.loads(tensors["calibration.json"].tobytes())
    grams = [name for name in tensors if name.endswith(".gram")]
    checks.require(len(grams) == len(record["grams"]) > 0, f"{len(grams)} Gram matrices")
    for name in grams:
        gram = triangle(tensors[name])
        squares = tensors[name.removesuffix(".gram") + ".input.mean_square"]
        checks.require(
            np.allclose(np.diag(gram), squares, rtol=1e-5), f"{name}: its diagonal")
        least = np.linalg.eigvalsh(gram)
        checks.require(least[0] > -1e-5 * least[-1], f"{name}: eigenvalue {least[0]}")
    print(f"  {len(grams)} Gram matrices of {record['text']['tokens']} tokens")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decant", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--text", type=Path, required=True)
    arguments = parser.parse_args()
    checks = Checks()
    windows = windows_of(arguments.source, arguments.text, 2 * TOKENS)
    length = len(windows[0])
    half = len(windows) // 2
    held_out = windows[half:]

    def decant(*words, **environment):
        subprocess.run(
            [arguments.decant, *map(str, words), "-q"], check=True, stdout=subprocess.DEVNULL,
            env=os.environ | environment)

    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        calibration, tokens = scratch / "cal.safetensors", scratch / "tokens"
        tokens.write_text(" ".join(map(str, held_out.flatten().tolist())))
        decant(
            "calibrate", arguments.source, "--text", arguments.text, "--tokens-limit",
            half * length, "--context", length, "--gram", "--sensitivity", "-o", calibration)
        check_moments(checks, calibration)
        for bits in BITS_PER_WEIGHT:
            found = {}
            for name, options in (
                    ("guessed", ["--allow-bits", "2,3,4,5,6,8"]),
                    ("measured", ["--calibration", calibration])):
                plan, packed = scratch / f"{name}-{bits}.json", scratch / f"{name}-{bits}"
                decant("plan", arguments.source, "--target-bpw", bits, *options, "-o", plan)
                decant(
                    "convert", arguments.source, "--plan", plan, "--calibration", calibration,
                    "-o", packed)
                found[name] = evaluated(
                    arguments.decant, packed, tokens, length, against=arguments.source)["kl_mean"]
            predicted = json.loads(plan.read_text())["totals"]["predicted_kl"]
            print(
                f"  {bits:<6} bits per weight: KL {found['measured']:.4f}, predicted"
                f" {predicted:.4f}, by guessed weights {found['guessed']:.4f}")
            checks.require(
                found["measured"] < found["guessed"], f"{bits} bits: no better than guessed")
            checks.require(
                predicted / FACTOR < found["measured"] < predicted * FACTOR,
                f"{bits} bits: {predicted} were predicted")
        plan, packed = scratch / "measured-3.5.json", scratch / "measured-3.5"
        for name, jobs, level in (("one", 1, {}), ("baseline", 2, {"DECANT_LEVEL": "baseline"})):
            decant(
                "plan", arguments.source, "--target-bpw", "3.5", "--calibration", calibration,
                "--jobs", jobs, "-o", scratch / f"{name}.json", **level)
            decant(
                "convert", arguments.source, "--plan", scratch / f"{name}.json",
                "--calibration", calibration, "--jobs", jobs, "-o", scratch / name, **level)
            checks.require(
                (scratch / f"{name}.json").read_bytes() == plan.read_bytes(),
                f"{name}: another plan")
            checks.require(
                (scratch / name / "model.safetensors").read_bytes()
                == (packed / "model.safetensors").read_bytes(), f"{name}: other bytes")
    checks.finish(f"plans of {len(BITS_PER_WEIGHT)} sizes")


main()
