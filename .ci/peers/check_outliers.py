#!/usr/bin/env python3
"""Holds what quantization does to a model's output against mlx-lm, with and without outlier channels.

usage: check_outliers.py DECANT SOURCE --text TEXT

SOURCE is a small llama. Its twin computes the same function, but some channels of what its norms give
and of what its MLPs multiply are 16 to 64 times larger, and the weights that read them as much
smaller, as in large models (LLM.int8(), arXiv 2208.07339). For both, `decant eval` measures the KL
divergence of the packed models from their source in nats per token: that of decant's must be clearly
below that of mlx-lm's at the same bits. A plan that knows the inputs may be no worse than one that does not.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from mlx_lm.convert import convert
from safetensors.numpy import load_file, save_file

from check_plan import WINDOW, windows_of
from checkpoints import Checks, evaluated

BITS = [2, 3, 4]
# Of mlx-lm's KL, at most.
SHARE = {2: 0.85, 3: 0.85, 4: 0.85}
PLAN_BITS = 3.5
# Windows that decant calibrates on; others are judged by. What is left to chance may cost so much.
CALIBRATION_WINDOWS = 24
NOISE = 1.05
FACTORS = [16.0, 32.0, 64.0, 32.0]


def make_twin(source, folder):
    """Writes the twin; every factor is a power of two, so that nothing is rounded."""
    twin = folder / "twin"
    shutil.copytree(source, twin)
    tensors = load_file(source / "model.safetensors")
    config = json.loads((source / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    channels = {hidden * (2 * i + 1) // 9: factor for i, factor in enumerate(FACTORS)}
    middle = {inner * (2 * i + 1) // 7: factor for i, factor in enumerate(FACTORS[:3])}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        for norm, readers in [
            ("input_layernorm", ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
            ("post_attention_layernorm", ["mlp.gate_proj", "mlp.up_proj"]),
        ]:
            for channel, factor in channels.items():
                tensors[f"{prefix}{norm}.weight"][channel] *= factor
                for reader in readers:
                    tensors[f"{prefix}{reader}.weight"][:, channel] /= factor
        for channel, factor in middle.items():
            tensors[f"{prefix}mlp.up_proj.weight"][channel] *= factor
            tensors[f"{prefix}mlp.down_proj.weight"][:, channel] /= factor
    save_file(tensors, twin / "model.safetensors", metadata={"format": "pt"})
    return twin


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decant", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=8192)
    arguments = parser.parse_args()
    checks = Checks()
    windows = windows_of(
        arguments.source, arguments.text, arguments.tokens + CALIBRATION_WINDOWS * WINDOW)
    known, windows = windows[:CALIBRATION_WINDOWS], windows[CALIBRATION_WINDOWS:]

    def run(*words):
        subprocess.run([arguments.decant, *map(str, words), "-q"], check=True,
                       stdout=subprocess.DEVNULL)

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        tokens, others = folder / "tokens", folder / "others"
        tokens.write_text(" ".join(map(str, np.array(known).flatten())))
        others.write_text(" ".join(map(str, np.array(windows).flatten())))
        models = [("model", arguments.source),
                  ("twin with outliers", make_twin(arguments.source, folder))]
        print(f"  {'KL in nats per token':<24}{'bits':>6}{'mlx-lm':>9}{'decant':>9}")
        for name, source in models:
            def divergence(path):
                return evaluated(arguments.decant, path, others, WINDOW, against=source)["kl_mean"]

            for bits in BITS:
                theirs, ours = folder / f"{name}-{bits}-mlx", folder / f"{name}-{bits}"
                convert(str(source), str(theirs), quantize=True, q_group_size=64, q_bits=bits)
                run("convert", source, "-o", ours, "--bits", bits)
                rival = divergence(theirs)
                found = divergence(ours)
                print(f"  {name:<24}{bits:>6}{rival:>9.4f}{found:>9.4f}")
                checks.require(
                    found <= SHARE[bits] * rival, f"{name}, {bits} bits: KL {found}, mlx-lm {rival}")
            divergences = {}
            calibration = folder / f"{name}.safetensors"
            run("calibrate", source, "--tokens", tokens, "--context", WINDOW, "-o", calibration)
            for knows in [False, True]:
                plan, packed = folder / f"{name}-{knows}.json", folder / f"{name}-{knows}"
                extra = ["--calibration", calibration] if knows else []
                run("plan", source, "--target-bpw", PLAN_BITS, "-o", plan, *extra)
                run("convert", source, "--plan", plan, "-o", packed, *extra)
                divergences[knows] = divergence(packed)
            print(f"  {name:<24}{PLAN_BITS:>6}  plan {divergences[False]:.4f},"
                  f" with activations {divergences[True]:.4f}")
            checks.require(
                divergences[True] <= NOISE * divergences[False],
                f"{name}: a plan with activations has KL {divergences[True]}, without"
                f" {divergences[False]}")
    checks.finish(f"{windows.size} tokens")


if __name__ == "__main__":
    main()
