#!/usr/bin/env python3
"""Size against loss: what decant, mlx-lm and llama.cpp keep of models at equal bytes.

usage: compare_fidelity.py DECANT MODEL... [--text FILE] [--markdown] [--json OUT] [--svg OUT]

Every peer's quantization of a model is decoded by the peer's own library, and run by decant's forward pass in
F32: neither mlx-lm's nor llama.cpp's forward pass is used, so that only weights differ. At each size that a
peer has, decant then plans for no more bytes of tensors, in three ways: by the weights alone (`plan`), by
measured losses (`plan --calibration`), and by these with `convert --method gptq`.

The first half of the text's tokens is for calibration, for importance matrices as well; the second half, in
windows of 256, is what everything is evaluated on. Of llama.cpp's files, with and without an importance
matrix, the better counts; of files of one peer with the same size, the best. Fails where something of decant
is larger than the peer that it stands beside.

Needs the packages of requirements.txt and requirements-fidelity.txt.
"""

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tokenizers import Tokenizer

import fidelity_peers
import fidelity_picture
from checkpoints import Checks, read_all

WINDOW = 256
ALLOWED_BITS = "2,3,4,5,6,8"
# How decant is asked, from the one that knows the least, and what its column is called. The last two use the
# plan of the second.
METHODS = {
    "plan": "plan", "measured": "measured losses", "gptq": "… and GPTQ", "learn": "… and learned rounding",
}


class Comparison:
    """One model: its text, its calibration, and what quantizations of it lose."""

    def __init__(self, decant, source, text, scratch, jobs, limit, methods):
        self.decant, self.source, self.scratch, self.jobs = decant, source, scratch, jobs
        self.methods = methods
        self.weights = sum(array.size for array in read_all(source).values())
        tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
        tokens = tokenizer.encode(text.read_text(), add_special_tokens=False).ids
        windows = min(len(tokens), limit or len(tokens)) // WINDOW
        if windows < 2:
            sys.exit(f"{text} has not two windows of {WINDOW} tokens")
        middle = windows // 2 * WINDOW
        self.calibration_tokens = self._write("calibration", tokens[:middle])
        self.evaluation_tokens = self._write("evaluation", tokens[middle : windows * WINDOW])
        self.calibration = scratch / "calibration.safetensors"
        self._run(
            "calibrate", source, "--tokens", self.calibration_tokens, "--context", WINDOW, "--gram",
            "--sensitivity", "-o", self.calibration)

    def _write(self, name, tokens):
        path = self.scratch / f"{name}.tokens"
        path.write_text(" ".join(map(str, tokens)))
        return path

    def _run(self, *words):
        done = subprocess.run(
            [self.decant, *map(str, words), "-q", "--jobs", str(self.jobs)], check=True,
            stdout=subprocess.PIPE)
        return done.stdout

    def loss(self, folder):
        """Losses of a checkpoint and of its source, and KL between them, in nats per token."""
        found = json.loads(
            self._run(
                "eval", folder, "--against", self.source, "--tokens", self.evaluation_tokens,
                "--context", WINDOW, "--json"))
        return {key: found[key] for key in ["nll", "base_nll", "tokens", "kl_mean", "kl_error"]}

    def point(self, folder, byte_count):
        return {"bytes": byte_count, "bits_per_weight": 8 * byte_count / self.weights, **self.loss(folder)}

    def peers(self, wanted):
        """The peers' points by size, the best of each peer and size."""
        best = {}
        names = {
            family: [name.removeprefix(family).strip() for name in wanted if name.startswith(family)]
            for family in ["mlx-lm", "llama.cpp"]
        }
        for decoded in fidelity_peers.models(self.source, self.scratch, names, self.calibration):
            point = self.point(decoded.folder, decoded.byte_count)
            point |= {"family": decoded.family, "name": decoded.name}
            key = decoded.family, decoded.byte_count
            if key not in best or point["kl_mean"] < best[key]["kl_mean"]:
                best[key] = point
        return sorted(best.values(), key=lambda point: (point["bytes"], point["family"]))

    def ours(self, byte_count):
        """decant's points by method, of no more bytes of tensors."""
        target = math.floor(8e7 * byte_count / self.weights) / 1e7
        points = {}
        for method in self.methods:
            plan, packed = self.scratch / "plan.json", self.scratch / "packed"
            knows = [] if method == "plan" else ["--calibration", self.calibration]
            has_method = method in ("gptq", "learn")
            if not has_method:
                self._run(
                    "plan", self.source, "--target-bpw", f"{target:.7f}", "--allow-bits", ALLOWED_BITS,
                    *knows, "-o", plan, "--force")
            shutil.rmtree(packed, ignore_errors=True)
            self._run(
                "convert", self.source, "--plan", plan, *knows,
                *(["--method", method] if has_method else []), "-o", packed)
            points[method] = self.point(packed, sum(array.nbytes for array in read_all(packed).values()))
        return points

    def compare(self, wanted):
        peers = self.peers(wanted)
        if not peers:
            sys.exit(f"{self.source}: no peer to compare with")
        sizes = {peer["bytes"]: None for peer in peers}
        for byte_count in sizes:
            sizes[byte_count] = self.ours(byte_count)
            print(f"  {self.source.name}: {byte_count} bytes", file=sys.stderr)
        rows = []
        for peer in peers:
            points = sizes[peer["bytes"]]
            rivals = [other["kl_mean"] for other in peers if other["bytes"] <= peer["bytes"]]
            ratio = min(point["kl_mean"] for point in points.values()) / min(rivals)
            rows.append({"peer": peer, "decant": points, "ratio": ratio})
        return {
            "model": self.source.name, "weights": self.weights, "window": WINDOW,
            "calibration_tokens": len(self.calibration_tokens.read_text().split()),
            "evaluation_tokens": len(self.evaluation_tokens.read_text().split()),
            "base_nll": peers[0]["base_nll"], "rows": rows,
        }


def check(checks, result, largest_ratio):
    for row in result["rows"]:
        if largest_ratio:
            checks.require(
                row["ratio"] <= largest_ratio,
                f"{result['model']}: {row['ratio']:.2f} of a peer's KL at {row['peer']['bytes']} bytes")
        for method, point in row["decant"].items():
            checks.require(
                point["bytes"] <= row["peer"]["bytes"],
                f"{result['model']}, {method}: {point['bytes']} bytes, more than"
                f" {row['peer']['family']} {row['peer']['name']} with {row['peer']['bytes']}")


def figure(number):
    """Three significant digits, as far as five places show them."""
    return f"{number:.{3 if number >= 0.1 else 4 if number >= 0.01 else 5}f}"


def over_source(point):
    return f"{round(point['nll'] - point['base_nll'], 4) + 0.0:+.4f}"


def table(result, is_markdown):
    """A line for each size of a peer; where two peers have the same, one after the other."""
    methods = [method for method in METHODS if method in result["rows"][0]["decant"]]
    head = [
        "bits per weight", "bytes", "peer", "its loss", "its KL", *(METHODS[method] for method in methods),
        "loss of that", "ratio",
    ]
    lines = []
    for row in result["rows"]:
        peer, points = row["peer"], row["decant"]
        lines.append([
            f"{peer['bits_per_weight']:.2f}", f"{peer['bytes']:,}", f"{peer['family']} {peer['name']}",
            over_source(peer), figure(peer["kl_mean"]),
            *(figure(points[method]["kl_mean"]) for method in methods),
            over_source(points[methods[-1]]), f"{row['ratio']:.2f}",
        ])
    title = (
        f"{result['model']}: {result['weights']:,} weights, loss of the source {result['base_nll']:.4f},"
        f" calibrated on {result['calibration_tokens']:,} tokens, evaluated on"
        f" {result['evaluation_tokens']:,}")
    if is_markdown:
        rule = ["--:", "--:", "---", *["--:"] * (len(head) - 3)]
        rows = ["| " + " | ".join(line) + " |" for line in [head, rule, *lines]]
        return "\n".join([title, "", *rows, ""])
    widths = [max(map(len, column)) for column in zip(head, *lines)]
    rows = ["  ".join(map(str.rjust, line, widths)) for line in [head, *lines]]
    return "\n".join([title, *rows])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("decant", type=Path)
    parser.add_argument(
        "models", type=Path, nargs="+", metavar="MODEL", help="a directory with a tokenizer.json")
    parser.add_argument("--text", type=Path, help="default: eval.txt in each model's directory")
    parser.add_argument("--tokens-limit", type=int, help="of the text, for a quick look")
    names = fidelity_peers.names()
    parser.add_argument(
        "--peers", nargs="+", metavar="NAME", choices=names, default=names,
        help="only these, as in 'mlx-lm 3 bits' or 'llama.cpp Q4_K_S'")
    parser.add_argument(
        "--methods", nargs="+", metavar="NAME", choices=METHODS, default=["plan", "measured", "gptq"],
        help="of plan, measured, gptq and learn, in this order; learn takes minutes for each size")
    parser.add_argument("--at-most", type=float, metavar="RATIO", help="fail where the ratio is larger")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--svg", type=Path, help="where to draw KL against size, a panel for each model")
    arguments = parser.parse_args()
    checks, results = Checks(), []
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as scratch:
            comparison = Comparison(
                arguments.decant.resolve(), model, arguments.text or model / "eval.txt", Path(scratch),
                arguments.jobs, arguments.tokens_limit, arguments.methods)
            results.append(comparison.compare(arguments.peers))
        check(checks, results[-1], arguments.at_most)
        print(table(results[-1], arguments.markdown), flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=1) + "\n")
        if arguments.svg:
            arguments.svg.write_text(fidelity_picture.draw(results))
    checks.finish(f"sizes of {len(results)} models")


if __name__ == "__main__":
    main()
