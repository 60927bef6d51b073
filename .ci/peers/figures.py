"""Comparing figures of decant with those of NumPy and SciPy, and the figures that tensors and their
summaries share."""

import math
import warnings
from collections import defaultdict

import numpy as np
from scipy import stats

from checkpoints import Checks

# Below this magnitude an F32 value is counted as 0 by everything that bins.
BINNED_ZERO = 2.0**-133
LARGEST = float(np.finfo(np.float32).max)
SHOWN = 16


class Figures(Checks):
    """Counts the figures compared, and keeps the largest relative difference of each kind."""

    def __init__(self):
        super().__init__()
        self.farthest = defaultdict(float)

    def same(self, where, theirs, ours):
        self.require(theirs == ours, f"{where}: {str(theirs)[:200]}, not {str(ours)[:200]}")

    def close(self, where, theirs, ours, tolerance=1e-9, scale=0.0):
        """`scale`: magnitude below which a difference counts as if the figure were so large."""
        ours = None if ours is None or not np.isfinite(ours) else float(ours)
        if theirs is None or ours is None:
            return self.require(theirs is None and ours is None, f"{where}: {theirs}, not {ours}")
        size = max(abs(theirs), abs(ours), scale)
        difference = abs(theirs - ours) / size if size else 0.0
        kind = where.split(": ")[-1]
        self.farthest[kind] = max(self.farthest[kind], difference)
        self.require(difference <= tolerance, f"{where}: {theirs!r}, not {ours!r}")

    def between(self, where, theirs, low, high):
        holds = theirs is not None and low <= theirs <= high
        self.require(holds, f"{where}: {theirs} not in [{low}, {high}]")

    def lists(self, where, theirs, ours, tolerance=0.0):
        self.same(f"{where}: length", len(theirs), len(ours))
        for index, (a, b) in enumerate(zip(theirs, ours)):
            self.close(f"{where}[{index}]", a, b, tolerance)

    def members(self, where, document, names):
        self.same(f"{where}: members", sorted(document), sorted(names))


def moments(finite):
    """Mean, standard deviation, skewness and kurtosis; None where they do not exist."""
    if not finite.size:
        return None, None, None, None
    mean = math.fsum(finite) / finite.size
    if finite.min() == finite.max():
        return mean, 0.0, None, None
    centred = finite - mean  # so that SciPy's own mean is not off by more than the skewness
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy doubts values that are nearly equal
        return (
            mean, centred.std(), stats.skew(centred), stats.kurtosis(centred, fisher=False))


def check_histogram(figures, where, document, finite, is_binned):
    """Four bins to an octave. Values too small for a bin of F32 have none."""
    figures.members(where, document, ["zeros", "edges", "counts"])
    values = np.abs(finite)
    figures.same(f"{where}: zeros", document["zeros"], int((values == 0).sum()))
    values = values[values >= BINNED_ZERO] if is_binned else values[values > 0]
    edges, counts = np.array(document["edges"]), document["counts"]
    if not values.size:
        return figures.same(f"{where}: bins", (len(edges), len(counts)), (0, 0))
    figures.same(f"{where}: edges", len(edges), len(counts) + 1)
    octaves = 2.0 ** np.arange(-126, 128)[:, None] * [1, 1.25, 1.5, 1.75]
    every = np.concatenate([np.arange(4) * 2.0**-128, octaves.ravel(), [LARGEST]])
    first = np.searchsorted(every, values.min(), side="right") - 1
    ours = every[first:np.searchsorted(every[:-1], values.max(), side="right") + 1]
    figures.lists(f"{where}: edges", edges.tolist(), ours.tolist())
    figures.same(f"{where}: counts", counts, np.histogram(values, ours)[0].tolist())


def check_profile(figures, where, document, absmax, ratio):
    if absmax is None:
        return figures.same(where, document, None)
    figures.members(where, document, [
        "count", "median", "absmax", "ratio", "outlier_count", "outliers", "step_length", "steps"])
    absmax = absmax.astype(np.float64)
    median = np.median(absmax)
    far = np.flatnonzero(absmax > ratio * median)
    listed = far[np.lexsort((far, -absmax[far]))][:SHOWN]
    step = -(-absmax.size // 64)
    figures.same(f"{where}: count", document["count"], absmax.size)
    figures.same(f"{where}: median", document["median"], median)
    figures.same(f"{where}: absmax", document["absmax"], absmax.max())
    figures.close(
        f"{where}: ratio", document["ratio"], absmax.max() / median if median else None, 1e-15)
    figures.same(f"{where}: outlier_count", document["outlier_count"], far.size)
    theirs = [(entry["index"], entry["absmax"]) for entry in document["outliers"]]
    figures.same(f"{where}: outliers", theirs, [(int(i), absmax[i]) for i in listed])
    for entry in document["outliers"]:
        figures.close(
            f"{where}: outlier ratio", entry["ratio"], entry["absmax"] / median if median else None,
            1e-15)
    figures.same(f"{where}: step_length", document["step_length"], step)
    figures.lists(
        f"{where}: steps", document["steps"],
        [absmax[i:i + step].max() for i in range(0, absmax.size, step)])


def check_rest(figures, where, document, expected, has_tokens):
    """What activations lose in the channels that are no outliers. Without `has_tokens`, of several
    tensors, nothing is said of the median token."""
    for trip in document:
        norm, error, median = expected[trip["scheme"], trip["bits"]]
        name = f"{where}: {trip['scheme']} {trip['bits']} rest"
        figures.close(f"{name}: squared_norm", trip["rest_squared_norm"], norm)
        figures.close(f"{name}: squared_error", trip["rest_squared_error"], error)
        figures.close(
            f"{name}: sqnr_rest_db", trip["sqnr_rest_db"],
            10 * np.log10(norm / error) if norm and error else None, scale=1)
        finite = has_tokens and median is not None and np.isfinite(median)
        figures.close(
            f"{name}: sqnr_median_token_db", trip["sqnr_median_token_db"],
            median if finite else None, scale=1)


def check_round_trips(figures, where, document, expected, is_bound=False):
    """With `is_bound` the expected error is only an upper bound: scales were searched for."""
    found = {(t["scheme"], t["group_size"], t["bits"]): t for t in document}
    figures.same(f"{where}: round trips", sorted(map(str, found)), sorted(map(str, expected)))
    for key in found.keys() & expected.keys():
        trip, (norm, error, largest) = found[key], expected[key]
        name = f"{where}: {' '.join(map(str, key))}"
        stated = trip["squared_norm"], trip["squared_error"]
        figures.close(f"{name}: squared_norm", stated[0], norm)
        figures.close(
            f"{name}: sqnr_db from its sums", trip["sqnr_db"],
            10 * np.log10(stated[0] / stated[1]) if all(stated) else None, 1e-12)
        if is_bound:
            figures.between(f"{name}: squared_error", stated[1], 0, error * (1 + 1e-12))
        else:
            figures.close(f"{name}: squared_error", stated[1], error)
            figures.close(f"{name}: largest_error", trip["largest_error"], largest, 1e-6)
