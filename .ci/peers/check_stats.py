#!/usr/bin/env python3
"""Computes everything that `decant stats --json` says again, with NumPy and SciPy in float64.

Every member of the document must be known here, and every figure must agree. Moments are held to a
relative 1e-9, and counts, extremes and the quantiles of 16-bit types must be equal.
"""

import argparse
import json
import re

import numpy as np

from figures import (
    BINNED_ZERO, SHOWN, Figures, check_histogram, check_profile, check_rest, check_round_trips,
    moments)
from round_trips import (
    activation_round_trips, cache_round_trips, rest_of_activations, weight_round_trips)
from stats_summaries import check_features, check_importance, check_layers
from tensor_values import SMALLEST_NORMAL, read_config, read_dumps, read_weights

LEVELS = [0.001, 0.01, 0.5, 0.99, 0.999, 0.9999]
BINNED_ERROR = 2.0**-8
KEPT_ROLES = {
    "position_embedding", "token_type_embedding", "relative_position_bias", "attn_sinks", "router",
    "ssm_dt", "ssm_state", "convolution", "time_mix", "low_rank_helper", "classifier",
    "stream_mixing", "norm", "bias", "tower", "adapter", "position_ids", "quantization_parameter"}
# Of the names that tell it by themselves.
ROLES = {
    "q_proj": "attn_q", "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_o",
    "c_attn": "attn_qkv", "gate_proj": "mlp_gate", "up_proj": "mlp_up", "down_proj": "mlp_down",
    "c_fc": "mlp_up", "lm_head": "output_head", "embed_tokens": "token_embedding"}
CONFIG_TYPES = {"float16": "F16", "bfloat16": "BF16", "float32": "F32"}


def check_values(figures, where, document, tensor):
    values = tensor.values.ravel()
    finite = values[np.isfinite(values)].astype(np.float64)
    magnitudes = np.abs(finite)
    smallest = SMALLEST_NORMAL.get(tensor.dtype, 2.0**-126)
    for name, count in {
        "count": values.size, "nan": np.isnan(values).sum(),
        "positive_infinity": np.isposinf(values).sum(),
        "negative_infinity": np.isneginf(values).sum(), "zeros": (finite == 0).sum(),
        "subnormals": ((finite != 0) & (magnitudes < smallest)).sum(),
    }.items():
        figures.same(f"{where}: {name}", document[name], int(count))
    for name, function in [("min", np.min), ("max", np.max)]:
        figures.same(
            f"{where}: {name}", document[name], float(function(finite)) if finite.size else None)
    absmax = magnitudes.max() if finite.size else None
    figures.close(f"{where}: absmax", document["absmax"], absmax, 0)
    mean, std, skewness, kurtosis = moments(finite)
    spread = 1e-6 * (absmax or 0)
    figures.close(f"{where}: mean", document["mean"], mean, scale=spread)
    figures.close(f"{where}: std", document["std"], std)
    figures.close(f"{where}: skewness", document["skewness"], skewness, scale=1e-3)
    figures.close(f"{where}: kurtosis", document["kurtosis"], kurtosis)
    rms = np.sqrt(np.square(finite).mean()) if finite.size else None
    figures.close(f"{where}: rms", document["rms"], rms)
    figures.close(f"{where}: crest_factor", document["crest_factor"], absmax / rms if rms else None)
    error = 0 if tensor.is_exact else BINNED_ERROR
    figures.same(f"{where}: quantile_relative_error", document["quantile_relative_error"], error)
    check_ranks(figures, where, document, finite, error)
    check_shares(figures, where, document, finite, error)
    check_histogram(
        figures, f"{where}: histogram", document["histogram"], finite, not tensor.is_exact)
    return {
        "mean": mean, "std": std, "kurtosis": kurtosis, "absmax": absmax or 0, "finite": finite,
        "is_binned": not tensor.is_exact}


def check_ranks(figures, where, document, finite, error):
    levels = [entry["level"] for entry in document["quantiles"]]
    figures.same(f"{where}: quantile levels", levels, LEVELS if finite.size else [])
    magnitudes = np.abs(finite)
    asked = [(f"quantile {e['level']}", finite, e["level"], e["value"])
             for e in document["quantiles"]]
    asked.append(("median_magnitude", magnitudes, 0.5, document["median_magnitude"]))
    for name, values, level, theirs in asked:
        ours = np.quantile(values, level) if values.size else None
        if error == 0 or ours is None:
            figures.same(f"{where}: {name}", theirs, ours)
        else:
            # Between two ranks the larger one bounds the error.
            ends = [np.quantile(values, level, method=m) for m in ("lower", "higher")]
            bound = error * max(map(abs, ends)) + BINNED_ZERO
            figures.between(f"{where}: {name}", theirs, ours - bound, ours + bound)


def check_shares(figures, where, document, finite, error):
    """Shares beyond multiples of sigma and the histogram in sigmas. Mean and sigma were compared
    before; taking them as they are keeps values on an edge on their side."""
    mean, sigma = document["mean"], document["std"]
    shown = document["sigma_histogram"]
    if not sigma:
        for name in ("beyond_3_sigma", "beyond_6_sigma", "sigma_histogram"):
            figures.same(f"{where}: {name}", document[name], None)
        return
    slack = error * np.abs(finite) + (BINNED_ZERO if error else 0)
    distance = np.abs(finite - mean)
    for multiple in (3, 6):
        low, high = (np.mean(distance > multiple * sigma + e) for e in (slack, -slack))
        name = f"beyond_{multiple}_sigma"
        figures.between(f"{where}: {name}", document[name], low, high)
    where = f"{where}: sigma_histogram"
    figures.members(where, shown, ["bin_width", "limit", "below", "above", "counts"])
    edges = np.arange(-shown["limit"], shown["limit"] + 1e-9, shown["bin_width"])
    figures.same(f"{where}: bins", len(shown["counts"]), len(edges) - 1)
    figures.same(
        f"{where}: sum", shown["below"] + sum(shown["counts"]) + shown["above"], finite.size)
    for edge, below in zip(edges, np.cumsum([shown["below"], *shown["counts"]])):
        low, high = (np.sum((finite + e - mean) / sigma < edge) for e in (slack, -slack))
        figures.between(f"{where}: below {edge}", below, low, high)


COMMON = [
    "name", "kind", "role", "layer", "expert", "dtype", "shape", "count", "nan",
    "positive_infinity", "negative_infinity", "zeros", "subnormals", "min", "max", "absmax", "mean",
    "std", "rms", "skewness", "kurtosis", "crest_factor", "median_magnitude", "beyond_3_sigma",
    "beyond_6_sigma", "quantiles", "quantile_relative_error", "histogram", "sigma_histogram",
    "quantization"]


def check_tensor(figures, document, tensor, run, config):
    """One tensor. Returns what the summaries need."""
    kind, where = document["kind"], tensor.name
    own = {
        "weight": ["input_channels", "output_channels"],
        "activation": ["channels", "tokens", "mean_square_sum", "outliers"]}
    heads = ["head_absmax"] * (kind in ("key", "value"))
    members = COMMON + own.get(kind, ["channels", "tokens", *heads])
    if kind in ("key", "rope_key"):
        members = members + ["rope"]
        figures.same(f"{where}: rope", document.get("rope"), tensor.rope)
    every = document.get("every_channel")
    figures.members(where, document, members + ["every_channel"] * (every is not None))
    figures.same(f"{where}: dtype", document["dtype"], tensor.dtype)
    figures.same(f"{where}: shape", document["shape"], tensor.shape)
    check_identity(figures, where, document)
    known = check_values(figures, where, document, tensor)
    channels = (check_weight if kind == "weight" else check_dump)(
        figures, document, tensor, run, config, known)
    if every is not None:
        figures.members(f"{where}: every_channel", every, channels)
        for name, (values, tolerance) in channels.items():
            figures.lists(f"{where}: {name}", every[name], values.tolist(), tolerance)
    return known


def check_identity(figures, where, document):
    cache = re.fullmatch(r"layers\.\d+\.(key|value|latent|rope_key)", where)
    kind = cache[1] if cache else "activation" if where.endswith(".input") else "weight"
    figures.same(f"{where}: kind", document["kind"], kind)
    for name, pattern in [
        ("layer", r"(?:^|\.)(?:layers|layer|h|blocks)\.(\d+)\."), ("expert", r"\.experts\.(\d+)\.")
    ]:
        found = re.search(pattern, where)
        figures.same(f"{where}: {name}", document[name], int(found[1]) if found else None)
    parts = where.split(".")
    if cache:
        figures.same(f"{where}: role", document["role"], None)
    elif len(parts) > 1 and parts[-1] in ("weight", "input") and parts[-2] in ROLES:
        figures.same(f"{where}: role", document["role"], ROLES[parts[-2]])


def check_weight(figures, document, tensor, run, config, known):
    where, ratio = tensor.name, run["outlier_ratio"]
    matrix = tensor.matrix if len(tensor.shape) > 1 else None
    inputs, outputs = (
        (None, None) if matrix is None else (np.abs(matrix).max(axis) for axis in (0, 1)))
    check_profile(figures, f"{where}: input_channels", document["input_channels"], inputs, ratio)
    check_profile(figures, f"{where}: output_channels", document["output_channels"], outputs, ratio)
    sizes = [] if matrix is None or document["role"] in KEPT_ROLES else [
        size for size in (128, 64, 32) if size <= run["group_size"] and matrix.shape[1] % size == 0]
    known["trips"] = {}
    if sizes:
        declared = CONFIG_TYPES.get(config.get("dtype") or config.get("torch_dtype"))
        kind = tensor.dtype if tensor.dtype in ("F16", "BF16", "F32") else declared or (
            "F32" if tensor.dtype == "F64" else "BF16")
        known["trips"] = weight_round_trips(matrix, sizes[0], kind)
    check_round_trips(
        figures, where, document["quantization"], known["trips"], run["method"] == "search")
    return {} if matrix is None else {"absmax": (inputs, 0), "output_absmax": (outputs, 0)}


def check_dump(figures, document, tensor, run, config, known):
    where, ratio = tensor.name, run["outlier_ratio"]
    rows = tensor.clean.reshape(tensor.shape[0], -1)
    magnitudes = np.abs(rows)
    absmax = magnitudes.max(0)
    check_profile(figures, f"{where}: channels", document["channels"], absmax, ratio)
    check_profile(figures, f"{where}: tokens", document["tokens"], magnitudes.max(1), ratio)
    if document["kind"] == "activation":
        known["trips"] = activation_round_trips(rows)
        known["rest"] = {
            (scheme, bits): figure
            for (scheme, _, bits), figure in rest_of_activations(rows, ratio).items()}
        check_rest(figures, where, document["quantization"], known["rest"], True)
        known["tokens_at_6"] = (magnitudes >= 6).sum(0)
        check_outliers(figures, f"{where}: outliers", document["outliers"], rows, known)
        squares = np.square(rows.astype(np.float64)).mean(0).sum()
        figures.close(f"{where}: mean_square_sum", document["mean_square_sum"], squares)
    else:
        if document["kind"] in ("key", "value"):
            figures.lists(
                f"{where}: head_absmax", document["head_absmax"],
                absmax.reshape(tensor.shape[1:]).max(1).tolist())
        known["trips"] = cache_round_trips(tensor.clean, tensor.part_lengths)
    check_round_trips(figures, where, document["quantization"], known["trips"])
    exact = magnitudes.astype(np.float64)
    return {
        "absmax": (absmax, 0), "mean_magnitude": (exact.mean(0), 1e-12),
        "mean_square": (np.square(exact).mean(0), 1e-12)}


def check_outliers(figures, where, document, rows, known):
    figures.members(where, document, ["magnitude_6_channels", "massive_count", "massive"])
    theirs = {e["channel"]: e["token_share"] for e in document["magnitude_6_channels"]}
    tokens = known["tokens_at_6"]
    ours = {int(c): tokens[c] / len(rows) for c in np.flatnonzero(tokens)}
    figures.same(f"{where}: magnitude_6_channels", theirs, ours)
    magnitudes = np.abs(rows)
    median = np.median(np.abs(known["finite"])) if known["finite"].size else 0
    places = np.argwhere((magnitudes > 100) & (magnitudes >= 1000 * median))
    figures.same(f"{where}: massive_count", document["massive_count"], len(places))
    listed = sorted(places.tolist(), key=lambda p: (-magnitudes[*p], *p))[:SHOWN]
    figures.same(
        f"{where}: massive", [(e["token"], e["channel"], e["value"]) for e in document["massive"]],
        [(*p, float(rows[*p])) for p in listed])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("statistics", help="what decant stats --json printed")
    parser.add_argument("checkpoint")
    parser.add_argument("dumps", nargs="*", help="in the order in which decant was given them")
    arguments = parser.parse_args()
    with open(arguments.statistics) as file:
        document = json.load(file, parse_constant=lambda word: 1 / 0)
    figures = Figures()
    figures.members("document", document, [
        "path", "group_size", "method", "outlier_ratio", "kurtosis_convention", "problems",
        "outlier_features", "layers", "importance", "tensors"])
    figures.same("kurtosis_convention", document["kurtosis_convention"], "pearson")
    tensors = read_weights(arguments.checkpoint) | read_dumps(arguments.dumps)
    names = [entry["name"] for entry in document["tensors"]]
    figures.same("measured", len(names), len(tensors))
    figures.same("measured only by one", set(names) ^ set(tensors), set())
    config = read_config(arguments.checkpoint)
    measured = [
        (entry, check_tensor(figures, entry, tensors[entry["name"]], document, config))
        for entry in document["tensors"] if entry["name"] in tensors]
    check_layers(figures, document, measured)
    check_features(figures, document, measured)
    check_importance(figures, document["importance"])
    farthest = ", ".join(f"{kind} {value:.1e}" for kind, value in sorted(
        figures.farthest.items()) if value > 1e-13 and "[" not in kind)
    figures.finish(f"{len(measured)} tensors; largest relative differences: {farthest or 'none'}")


if __name__ == "__main__":
    main()
