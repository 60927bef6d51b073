#!/usr/bin/env python3
"""Holds the plans of `decant plan` against the mixed recipes of mlx-lm.

Each plan is converted: the bytes on disk must be those it predicts, and within its budget. `decant eval`
then measures the loss of every model on the same text, of those that mlx-lm packed too. That of a plan
may be no worse than that of the recipe nearest in size of those that are no smaller; and for every
recipe, a plan of no more bytes than its tensors have must be no worse.
"""

import argparse
import itertools
import json
import math
import subprocess
import tempfile
from pathlib import Path

import mlx.core as mx
from mlx_lm.convert import convert
from tokenizers import Tokenizer

from checkpoints import Checks, evaluated, read_all

RECIPES = ["mixed_2_6", "mixed_3_4", "mixed_3_6", "mixed_4_6"]
GROUP_SIZES = [32, 64]
WINDOW = 256


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decant", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("--activations", required=True, help="dump that weighs the errors")
    parser.add_argument("--text", type=Path, required=True, help="text that was held out")
    parser.add_argument("--tokens", type=int, default=8192)
    parser.add_argument("--bits", type=float, nargs="+", default=[3.5, 4.25, 5])
    return parser.parse_args()


def windows_of(source, text, limit):
    """The text's first tokens, [windows, tokens of a window]."""
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokens = tokenizer.encode(text.read_text()).ids[:limit]
    count = len(tokens) // WINDOW
    return mx.array(tokens[: count * WINDOW]).reshape(count, WINDOW)


def tensor_bytes(path):
    return sum(array.nbytes for array in read_all(path).values())


def bytes_on_disk(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def planned(checks, arguments, bits, scratch):
    """Plans and converts. Returns the directory and the plan's totals."""
    plan, packed = scratch / f"plan-{bits}.json", scratch / f"planned-{bits}"
    subprocess.run(
        [arguments.decant, "plan", arguments.source, "--target-bpw", str(bits),
         "--activations", arguments.activations, "-o", plan, "-q"], check=True)
    subprocess.run(
        [arguments.decant, "convert", arguments.source, "--plan", plan, "-o", packed, "-q"],
        check=True)
    totals = json.loads(plan.read_text())["totals"]
    found = bytes_on_disk(packed)
    checks.require(
        found == totals["predicted_bytes"],
        f"{bits} bits per weight: {totals['predicted_bytes']} bytes predicted, {found} on disk")
    stored = tensor_bytes(packed)
    checks.require(
        stored == totals["tensor_bytes"],
        f"{bits} bits per weight: {totals['tensor_bytes']} bytes of tensors predicted, not {stored}")
    weights = sum(array.size for array in read_all(arguments.source).values())
    checks.require(
        8 * stored <= bits * weights, f"{8 * stored / weights} bits per weight, budget {bits}")
    return packed, totals


def main():
    arguments = parse_arguments()
    checks = Checks()
    windows = windows_of(arguments.source, arguments.text, arguments.tokens)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        tokens = scratch / "tokens"
        tokens.write_text(" ".join(map(str, windows.flatten().tolist())))

        def loss_of(path):
            return evaluated(arguments.decant, path, tokens, WINDOW)["nll"]

        recipes = []
        for recipe, group_size in itertools.product(RECIPES, GROUP_SIZES):
            name = f"{recipe}, {group_size}s"
            packed = scratch / name
            convert(
                str(arguments.source), str(packed), quantize=True, q_group_size=group_size,
                quant_predicate=recipe)
            recipes.append((tensor_bytes(packed), loss_of(packed), name))
        recipes.sort()
        weights = sum(array.size for array in read_all(arguments.source).values())

        def row(name, size, loss, rest=""):
            print(f"  {name:<32}{size:>9}{8 * size / weights:>8.3f}{loss:>9.4f}"
                  f"{math.exp(loss):>9.3f}  {rest}".rstrip())

        print(f"  {'':<32}{'bytes':>9}{'bpw':>8}{'loss':>9}{'ppl':>9}")
        row("source", tensor_bytes(arguments.source), loss_of(arguments.source))
        for size, loss, name in recipes:
            row(f"mlx_lm.convert {name}", size, loss)
        budgets = [(bits, None) for bits in arguments.bits]
        budgets += [(8 * recipe[0] / weights, recipe) for recipe in recipes]
        compared = 0
        for bits, rival in budgets:
            packed, totals = planned(checks, arguments, bits, scratch)
            size, loss = totals["tensor_bytes"], loss_of(packed)
            rival = rival or next((recipe for recipe in recipes if recipe[0] >= size), None)
            row(f"decant plan at {bits:.4g}", size, loss, f"against {rival[2]}" if rival else "")
            if rival:
                compared += 1
                checks.require(
                    loss <= rival[1], f"loss {loss} at {size} bytes; {rival[2]} has {rival[1]}"
                    f" at {rival[0]}")
        checks.require(compared > len(recipes), "no recipe is as large as a plan")
    checks.finish(f"{windows.size} tokens, {compared} of {len(budgets)} plans compared")


if __name__ == "__main__":
    main()
