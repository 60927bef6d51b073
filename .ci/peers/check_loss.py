#!/usr/bin/env python3
"""Measures a merged directory's loss with mlx-lm and holds it against what training recorded.

usage: check_loss.py BASE MERGED ADAPTER

BASE is the packed model without the adapter, MERGED the one with it. ADAPTER holds `eval.txt` and
`training.json`: the mean loss of both over the first 20 windows of 256 tokens of the text, measured
in PyTorch before anything was merged.
"""

import json
import sys
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.utils import dequantize_model, load_model
from tokenizers import Tokenizer

from checkpoints import Checks

WINDOWS, CONTEXT = 20, 256
# To three decimals; the two libraries add up in different orders.
TOLERANCE = 5e-4


def mean_loss(directory, text):
    """Nats per token; the first token of a window has no prediction."""
    model, _ = load_model(Path(directory))
    # The same values: products with packed weights are slow on a CPU.
    model = dequantize_model(model)
    ids = Tokenizer.from_file(str(Path(directory) / "tokenizer.json")).encode(text).ids
    total = 0.0
    for start in range(0, WINDOWS * CONTEXT, CONTEXT):
        window = mx.array([ids[start : start + CONTEXT]])
        logits = model(window[:, :-1]).astype(mx.float32)
        total += nn.losses.cross_entropy(logits, window[:, 1:], reduction="mean").item()
    return total / WINDOWS


def main():
    base, merged, adapter = sys.argv[1:]
    text = (Path(adapter) / "eval.txt").read_text()
    recorded = json.loads((Path(adapter) / "training.json").read_text())["held_out_loss"]
    checks = Checks()
    losses = {"base": mean_loss(base, text), "merged": mean_loss(merged, text)}
    wanted = {"base": recorded["base_quantized"], "merged": recorded["adapter_fp16_unmerged"]}
    for name, loss in losses.items():
        print(f"{name}: {loss:.6f} nats per token, recorded {wanted[name]:.6f}")
        checks.require(
            abs(loss - wanted[name]) <= TOLERANCE,
            f"{name}: loss {loss:.6f}, recorded {wanted[name]:.6f}",
        )
    checks.require(
        losses["base"] - losses["merged"] > 0.1, "the adapter does not make the model better"
    )
    checks.finish("loss")


if __name__ == "__main__":
    main()
