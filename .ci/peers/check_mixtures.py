#!/usr/bin/env python3
"""Holds the losses that decant measures of mixtures that mlx-lm packed against those that mlx-lm computes.

usage: check_mixtures.py DECANT VECTORS NAME...

VECTORS has tiny models, with tokens beside them. mlx-lm stacks the experts and records nothing: their names have to be
those of the source again.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.utils import dequantize_model, load_model, quantize_model
from safetensors.numpy import load_file

from checkpoints import Checks

LOSS_TOLERANCE = 2e-5


def loss_of(path, ids):
    model = dequantize_model(load_model(path)[0])
    model.set_dtype(mx.float32)
    logits = np.array(model(mx.array(ids)[None]).astype(mx.float32)[0]).astype(np.float64)[:-1]
    rows = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return -float(rows[np.arange(len(ids) - 1), ids[1:]].mean())


def pack(source, target):
    model, config = quantize_model(*load_model(source), 32, 4)
    target.mkdir()
    mx.save_safetensors(
        str(target / "model.safetensors"), dict(tree_flatten(model.parameters())),
        metadata={"format": "mlx"})
    (target / "config.json").write_text(json.dumps(config))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decant", type=Path)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("names", nargs="+")
    arguments = parser.parse_args()
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.names:
            source, packed = arguments.vectors / name, Path(folder) / name
            pack(source, packed)
            ids = load_file(source / "reference.safetensors")["input_ids"].ravel().tolist()
            tokens = Path(folder) / f"{name}.tokens"
            tokens.write_text(" ".join(map(str, ids)))
            found = json.loads(subprocess.run(
                [arguments.decant, "eval", packed, "--tokens", tokens, "--json", "-q"],
                check=True, capture_output=True, text=True).stdout)
            expected = loss_of(packed, ids)
            checks.require(
                found["tokens"] == len(ids) - 1 and abs(found["nll"] - expected) < LOSS_TOLERANCE,
                f"{name}: {found['nll']} nats, mlx-lm {expected}")
            print(f"  {name:<24}{expected:>10.5f} nats per token")
    checks.finish(f"losses of {len(arguments.names)} mixtures")


main()
