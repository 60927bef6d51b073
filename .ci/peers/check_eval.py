#!/usr/bin/env python3
"""Holds the losses that decant measures against those that mlx-lm computes.

usage: check_eval.py DECANT SOURCE --text TEXT PACKED...

For the source and each packed directory: nats per token and the KL divergence from the source, over the same
tokens in the same windows. mlx-lm dequantizes the packed weights and computes in F32, as decant does.
"""

import argparse
import json
import subprocess
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_lm.utils import dequantize_model, load_model

from check_plan import windows_of
from checkpoints import Checks

# Between two computations in F32: nats, of numbers near 3; and shares of a divergence.
LOSS_TOLERANCE = 2e-5
DIVERGENCE_TOLERANCE = 2e-3


def log_probabilities(path, windows):
    model, config = load_model(path)
    if "quantization" in config:
        model = dequantize_model(model)  # quantized products are slow in mlx without a GPU
    model.set_dtype(mx.float32)
    parts = []
    for window in windows:
        logits = model(window[None]).astype(mx.float32)[0]
        parts.append(np.array(logits - mx.logsumexp(logits, axis=-1, keepdims=True)))
    return np.concatenate(parts).astype(np.float64)


def divergence(reference, other):
    """KL(reference || other), nats per token."""
    return float((np.exp(reference) * (reference - other)).sum(-1).mean())


def mean_loss(log_probabilities, windows):
    parts = np.split(log_probabilities, len(windows))
    scored = [
        -part[np.arange(len(window) - 1), np.array(window)[1:]]
        for part, window in zip(parts, windows)
    ]
    return float(np.concatenate(scored).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decant", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("packed", type=Path, nargs="+")
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=4096)
    arguments = parser.parse_args()
    checks = Checks()
    windows = windows_of(arguments.source, arguments.text, arguments.tokens)
    length = len(windows[0])
    reference = log_probabilities(arguments.source, windows)
    # All but a window's first token are scored, so its last logits are not.
    scored = np.concatenate([
        np.arange(i * length, (i + 1) * length - 1) for i in range(len(windows))])

    def evaluate(path, *options):
        found = subprocess.run(
            [arguments.decant, "eval", path, "--text", arguments.text, "--context", str(length),
             "--tokens-limit", str(length * len(windows)), "--json", "-q", *options],
            check=True, capture_output=True, text=True)
        return json.loads(found.stdout)

    def compare(name, found, own):
        loss = mean_loss(own, windows)
        checks.require(
            found["tokens"] == len(scored), f"{name}: {found['tokens']} tokens of {len(scored)}")
        checks.require(
            abs(found["nll"] - loss) < LOSS_TOLERANCE, f"{name}: {found['nll']} nats, mlx {loss}")
        return loss

    loss = compare("source", evaluate(arguments.source), reference)
    print(f"  {'source':<24}{loss:>10.5f} nats per token")
    for path in arguments.packed:
        own = log_probabilities(path, windows)
        found = evaluate(path, "--against", arguments.source)
        loss = compare(path.name, found, own)
        expected = divergence(reference[scored], own[scored])
        checks.require(
            abs(found["kl_mean"] / expected - 1) < DIVERGENCE_TOLERANCE,
            f"{path.name}: KL {found['kl_mean']}, mlx {expected}")
        same = float((reference[scored].argmax(-1) == own[scored].argmax(-1)).mean())
        checks.require(
            abs(found["same_top"] - same) < 2 / len(scored),
            f"{path.name}: same top {found['same_top']}, mlx {same}")
        print(f"  {path.name:<24}{loss:>10.5f}{expected:>10.5f}  KL")
    checks.finish(f"losses of {1 + len(arguments.packed)} models")


main()
