#!/usr/bin/env python3
"""Draws what compare_fidelity.py measured: KL divergence against bits per weight.

usage: fidelity_picture.py RESULTS.json OUT.svg [MODEL...]

A panel for each model, of all or of those that are named. Every curve is named where it ends and every point
of a peer beside it; shapes and dashes tell apart what colours do.
"""

import json
import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 860, 540
LEFT, RIGHT, ABOVE, BELOW = 66, 186, 58, 52
TEXT = 12.5
STRONG = ' font-weight="600"'
INK, QUIET, GRID = "#1f2328", "#57606a", "#e4e7eb"
# Colour, width, dashes and name of decant's curves.
CURVES = {
    "plan": ("#6f7f93", 2, "3 4", "decant: plan"),
    "measured": ("#3d82c8", 2, "9 4", "decant: measured losses"),
    "gptq": ("#0a4a9c", 3, "", "decant: … and GPTQ"),
    "learn": ("#5b2a86", 3, "", "decant: … and learned rounding"),
}
PEERS = {"llama.cpp": "#c2410c", "mlx-lm": "#333333"}


AROUND = [(-1, 0), (0, -1), (0, 1), (0.5, -1), (-0.5, -1), (0.5, 1), (-0.5, 1), (-1, -1), (-1, 1)]


class Labels:
    """Places texts where they cover the least of what is there already."""

    def __init__(self, bounds):
        self.bounds = bounds
        self.taken = []

    def add_point(self, x, y, half, weight):
        self.taken.append((x - half, y - half, x + half, y + half, weight))

    def add_line(self, points):
        for (x0, y0), (x1, y1) in zip(points, points[1:]):
            steps = max(1, round(math.hypot(x1 - x0, y1 - y0) / 4))
            for step in range(steps):
                share = step / steps
                self.add_point(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, 2, 3)

    def _cost(self, box):
        left, top, right, bottom = box
        cost = sum(
            weight * max(0, min(right, r) - max(left, l)) * max(0, min(bottom, b) - max(top, t))
            for l, t, r, b, weight in self.taken)
        l, t, r, b = self.bounds
        return cost + 1e4 * (max(0, l - left) + max(0, right - r) + max(0, t - top) + max(0, bottom - b))

    def place(self, x, y, text, only_right=False):
        """Left end and baseline of a text about a point."""
        width, best = 0.58 * TEXT * len(text), None
        for away in [9, 14, 20, 28]:
            # The middle of the text, to the right, and then all around.
            for across, down in [(1, 0), (1, -1), (1, 1), *([] if only_right else AROUND)]:
                left = x - width / 2 + across * (away + width / 2)
                middle = y + down * (away + (6 if abs(across) < 1 else 0))
                box = (left, middle - 7, left + width, middle + 7)
                cost = self._cost(box) + 6 * away
                if best is None or cost < best[0]:
                    best = (cost, box)
        self.taken.append((*best[1], 20))
        return best[1][0], best[1][3] - 2.5


def text(x, y, words, color=INK, size=TEXT, anchor="start", extra=""):
    # Lines that a text comes to lie on end at its edge.
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" font-size="{size}" text-anchor="{anchor}"{extra}'
        ' paint-order="stroke" stroke="#ffffff" stroke-width="3" stroke-linejoin="round">'
        f"{escape(words)}</text>")


def marker(family, x, y):
    color = PEERS[family]
    if family == "mlx-lm":
        return f'<rect x="{x - 4:.1f}" y="{y - 4:.1f}" width="8" height="8" fill="{color}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.8" fill="{color}"/>'


def path(points, color, width, dashes=""):
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{steps}" fill="none" stroke="{color}" stroke-width="{width}"'
        f' stroke-linejoin="round"{dash}/>')


def best_by_size(points):
    """Those that no smaller one is as good as."""
    kept = []
    for point in sorted(points, key=lambda point: (point["bytes"], point["kl_mean"])):
        if not kept or point["kl_mean"] < kept[-1]["kl_mean"]:
            kept.append(point)
    return kept


class Panel:
    """One model's points, and where they lie."""

    def __init__(self, result, top):
        self.result, self.top = result, top
        rows = result["rows"]
        self.curves = {
            method: sorted(
                {row["decant"][method]["bytes"]: row["decant"][method] for row in rows}.values(),
                key=lambda point: point["bytes"])
            for method in CURVES
            if method in rows[0]["decant"]
        }
        self.peers = {
            family: [row["peer"] for row in rows if row["peer"]["family"] == family] for family in PEERS
        }
        every = [point for points in [*self.curves.values(), *self.peers.values()] for point in points]
        bits = [point["bits_per_weight"] for point in every]
        losses = [math.log10(point["kl_mean"]) for point in every]
        self.low, self.high = min(bits) - 0.12, max(bits) + 0.12
        self.bottom, self.peak = min(losses) - 0.08, max(losses) + 0.08
        self.right, self.floor, self.ceiling = WIDTH - RIGHT, top + HEIGHT - BELOW, top + ABOVE

    def x(self, bits):
        return LEFT + (bits - self.low) / (self.high - self.low) * (self.right - LEFT)

    def y(self, loss):
        up = (math.log10(loss) - self.bottom) / (self.peak - self.bottom)
        return self.floor - up * (self.floor - self.ceiling)

    def place(self, point):
        return self.x(point["bits_per_weight"]), self.y(point["kl_mean"])

    def axes(self):
        name = f"{self.result['model']}, {self.result['weights'] / 1e6:.1f} million weights"
        yield text(LEFT, self.top + 20, name, size=15, extra=STRONG)
        yield text(LEFT, self.top + 40, "KL divergence from the source, nats per token", QUIET)
        middle = (LEFT + self.right) / 2
        yield text(middle, self.floor + 40, "bits per weight, of all tensors", QUIET, anchor="middle")
        for decade in range(math.floor(self.bottom), math.ceil(self.peak)):
            for digit in [1, 2, 5]:
                loss = digit * 10.0**decade
                if self.bottom <= math.log10(loss) <= self.peak:
                    y = self.y(loss)
                    yield path([(LEFT, y), (self.right, y)], GRID, 1)
                    yield text(LEFT - 8, y + 4.5, f"{loss:g}", QUIET, anchor="end")
        # Half bits.
        for tick in range(math.ceil(2 * self.low), math.floor(2 * self.high) + 1):
            x = self.x(tick / 2)
            yield path([(x, self.ceiling), (x, self.floor)], GRID, 1)
            yield text(x, self.floor + 19, f"{tick / 2:g}", QUIET, anchor="middle")
        yield path([(LEFT, self.floor), (self.right, self.floor)], QUIET, 1)

    def marks(self):
        labels = Labels((LEFT + 2, self.ceiling - 4, WIDTH - 6, self.floor - 2))
        lines = {method: [*map(self.place, points)] for method, points in self.curves.items()}
        fronts = {
            family: [*map(self.place, best_by_size(points))] for family, points in self.peers.items()
        }
        for points in [*lines.values(), *fronts.values()]:
            labels.add_line(points)
        for family, points in fronts.items():
            yield path(points, PEERS[family], 1.2)
        for method, points in lines.items():
            color, width, dashes, _ = CURVES[method]
            yield path(points, color, width, dashes)
        for family, points in self.peers.items():
            for point in points:
                labels.add_point(*self.place(point), 6, 10)
                yield marker(family, *self.place(point))
        for method, points in lines.items():
            color, _, _, name = CURVES[method]
            yield text(*labels.place(*points[-1], name, only_right=True), name, color, extra=STRONG)
        for family, points in self.peers.items():
            for point in points:
                # The largest tells whose they are.
                is_last = point is points[-1]
                name = f"{family} {point['name']}" if is_last else point["name"]
                place = labels.place(*self.place(point), name)
                yield text(*place, name, PEERS[family], extra=STRONG if is_last else "")


def draw(results):
    """The picture as text of an SVG file, readable on any page by its own background."""
    height = HEIGHT * len(results) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" role="img"'
        ' font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
        "<title>KL divergence from the source against bits per weight: decant, mlx-lm and llama.cpp</title>",
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="#ffffff"'
        ' stroke="#d0d7de"/>',
    ]
    for index, result in enumerate(results):
        panel = Panel(result, 8 + HEIGHT * index)
        parts += [*panel.axes(), *panel.marks()]
    return "\n".join([*parts, "</svg>", ""])


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    results = json.loads(Path(sys.argv[1]).read_text())
    wanted = sys.argv[3:] or [result["model"] for result in results]
    by_name = {result["model"]: result for result in results}
    if missing := [name for name in wanted if name not in by_name]:
        sys.exit(f"not in {sys.argv[1]}: {', '.join(missing)}")
    Path(sys.argv[2]).write_text(draw([by_name[name] for name in wanted]))


if __name__ == "__main__":
    main()
