#!/usr/bin/env python3
"""Holds a packed directory against its source with the libraries that will read it.

Every packed tensor is decoded by mlx and must be, bit for bit, what `decant unpack` wrote. Its
error is computed again in float64 and must be the one in the manifest, and no more than that of
mlx's own quantizer and of plain min-max. Every stored tensor must have its digest. With --load,
mlx-lm must accept the directory and the model must still predict what the source predicts.
"""

import argparse
from pathlib import Path

import mlx.core as mx
import numpy as np
from safetensors import safe_open

from checkpoints import (
    Checks, bits_equal, digests_of, doubles, manifest_of, read_all, shards)

# Per width: the largest mean distance from the reference logits, and the smallest share of
# positions whose likeliest token stays. Both leave room beside what was measured on
# samples/small; a wrong code order or a lost scale misses them by far.
LOGIT_BOUNDS = {
    2: (1.25, 0.5),
    3: (0.65, 0.68),
    4: (0.32, 0.83),
    5: (0.15, 0.9),
    6: (0.08, 0.91),
    8: (0.022, 0.96),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packed")
    parser.add_argument("source")
    parser.add_argument("--unpacked", required=True, help="what decant unpack wrote")
    parser.add_argument("--load", action="store_true", help="load the directory with mlx-lm")
    parser.add_argument("--logits", help="file with input_ids and logits to compare with")
    return parser.parse_args()


def squared_error(weights, decoded):
    return float(np.square(weights - doubles(decoded)).sum())


def minmax_decoded(weights, bits, group_size, dtype):
    """The uniform quantizer from minimum to maximum, with scale and bias as they are stored."""
    groups = weights.reshape(*weights.shape[:-1], -1, group_size)
    low, high = groups.min(-1), groups.max(-1)
    levels = 2**bits - 1

    def stored(values):
        return mx.array(values.astype(np.float32)).astype(dtype)

    scales, biases = stored((high - low) / levels), stored(low)
    scale, bias = doubles(scales)[..., None], doubles(biases)[..., None]
    step = np.where(scale == 0, 1, scale)
    codes = np.where(scale == 0, 0, np.clip(np.rint((groups - bias) / step), 0, levels))
    codes = mx.array(codes.astype(np.float32)).astype(dtype)
    return (codes * scales[..., None] + biases[..., None]).reshape(weights.shape)


def check_affine(checks, name, entry, packed, source, unpacked):
    """One packed tensor. Returns its squared norm and error."""
    path = name.removesuffix(".weight")
    bits, group_size = entry["layout"]["bits"], entry["layout"]["group_size"]
    scales, biases = packed[f"{path}.scales"], packed[f"{path}.biases"]
    decoded = mx.dequantize(
        packed[f"{path}.weight"], scales, biases, group_size=group_size, bits=bits)
    swapped = entry["source"]["order"] == "input_major"
    restored = mx.contiguous(mx.swapaxes(decoded, -1, -2)) if swapped else decoded
    checks.require(
        bits_equal(restored, unpacked[name]), f"{name}: unpacked is not what mlx decodes")

    weights = doubles(source[name])
    weights = np.ascontiguousarray(np.swapaxes(weights, -1, -2)) if swapped else weights
    difference = weights - doubles(decoded)
    norm, error = float(np.square(weights).sum()), float(np.square(difference).sum())
    for what, ours, theirs in [
        ("squared_norm", norm, entry["error"]["squared_norm"]),
        ("squared_error", error, entry["error"]["squared_error"]),
    ]:
        agree = abs(ours - theirs) <= 1e-9 * max(ours, theirs)
        checks.require(agree, f"{name}: {what} {theirs} in the manifest, measured {ours}")
    largest, stated = float(np.abs(difference).max()), entry["error"]["largest_error"]
    checks.require(  # measured in float32
        abs(largest - stated) <= 1e-6 * max(largest, stated),
        f"{name}: largest_error {stated} in the manifest, measured {largest}")

    values = mx.array(weights.astype(np.float32)).astype(scales.dtype)
    quantized = mx.quantize(values, group_size=group_size, bits=bits)
    rivals = {
        "mlx's quantizer": mx.dequantize(*quantized, group_size=group_size, bits=bits),
        "min-max": minmax_decoded(weights, bits, group_size, scales.dtype),
    }
    rival_errors = {rival: squared_error(weights, theirs) for rival, theirs in rivals.items()}
    for rival, theirs in rival_errors.items():
        checks.require(
            error <= theirs * (1 + 1e-12), f"{name}: error {error}, that of {rival} {theirs}")
    return norm, error, *rival_errors.values()


def check_tensors(checks, arguments):
    """All tensors. Returns a summary and the widths in use."""
    packed, source = read_all(arguments.packed), read_all(arguments.source)
    unpacked = read_all(arguments.unpacked)
    entries = {}
    for shard in shards(arguments.packed):
        own = manifest_of(shard)["tensors"]
        recorded = {part: digits for entry in own.values() for part, digits in entry["stored"].items()}
        checks.require(recorded == digests_of(shard), f"{shard}: other digests than recorded")
        entries |= own
    affine = {name for name, entry in entries.items() if entry["layout"]["name"] == "affine"}
    with_scales = {name.removesuffix(".scales") for name in packed if name.endswith(".scales")}
    checks.require(affine, "nothing is packed")
    checks.require(
        with_scales == {name.removesuffix(".weight") for name in affine},
        "the manifest and the file disagree about what is packed")
    checks.require(set(entries) == set(source), "the manifest names other tensors than the source")
    checks.require(set(unpacked) == set(source), "unpack wrote other tensors than the source has")

    totals = np.zeros(4)
    for name in sorted(entries):
        if name in affine:
            totals += check_affine(checks, name, entries[name], packed, source, unpacked)
        else:
            for what, tensors in [("packed", packed), ("unpacked", unpacked)]:
                same = bits_equal(tensors[name], source[name])
                checks.require(same, f"{name}: kept, but changed in the {what} files")
    ours, mlx, minmax = 10 * np.log10(totals[0] / totals[1:])
    widths = {entries[name]["layout"]["bits"] for name in affine}
    return (
        f"{len(affine)} of {len(entries)} tensors packed, SQNR {ours:.2f} dB"
        f" (mlx {mlx:.2f}, min-max {minmax:.2f})"), widths


def check_model(checks, arguments, widths):
    """Loads the directory as mlx-lm does and compares what it predicts. Returns a summary."""
    from mlx_lm.utils import dequantize_model, load_model

    model, _ = load_model(Path(arguments.packed), strict=True)
    model = dequantize_model(model)  # quantized products are slow in mlx without a GPU
    model.set_dtype(mx.float32)  # as the reference was computed
    if not arguments.logits:
        return "loads in mlx-lm"
    with safe_open(arguments.logits, framework="numpy") as reference:
        window = mx.array(reference.get_tensor("input_ids"))
        expected = reference.get_tensor("logits").astype(np.float64)
    logits = doubles(model(window[None])[0])
    checks.require(np.isfinite(logits).all(), "logits are not finite")
    distance = float(np.abs(logits - expected).mean())
    agreement = float((logits.argmax(-1) == expected.argmax(-1)).mean())
    farthest, least = LOGIT_BOUNDS[min(widths)]
    checks.require(distance <= farthest, f"mean logit distance {distance}, bound {farthest}")
    checks.require(agreement >= least, f"top-1 agreement {agreement}, bound {least}")
    return f"loads in mlx-lm, mean logit distance {distance:.4f}, top-1 agreement {agreement:.3f}"


def main():
    arguments = parse_arguments()
    checks = Checks()
    summary, widths = check_tensors(checks, arguments)
    if arguments.load:
        summary += "; " + check_model(checks, arguments, widths)
    checks.finish(summary)


if __name__ == "__main__":
    main()
