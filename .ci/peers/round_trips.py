"""What quantizing and decoding loses, in NumPy: float32 arithmetic, sums in float64."""

import ml_dtypes
import numpy as np

SCALE_TYPES = {"F16": np.float16, "BF16": ml_dtypes.bfloat16, "F32": np.float32}
CHANNEL_GROUP = 32


def rounded(values, kind):
    """As the type stores them, in float32."""
    with np.errstate(over="ignore"):
        return values.astype(SCALE_TYPES[kind]).astype(np.float32)


def line(groups, bits, kind):
    """Scale and bias between minimum and maximum of each row, as `kind` stores them, such that
    all codes decode to finite values."""
    levels = np.float32(2**bits - 1)
    limit = np.float32(ml_dtypes.finfo(SCALE_TYPES[kind]).max)
    low, high = groups.min(-1), groups.max(-1)
    with np.errstate(over="ignore"):
        span = high - low
        wide_span = ((high.astype(float) - low.astype(float)) / float(levels)).astype(np.float32)
        scale = np.where(np.isfinite(span), span / levels, wide_span)
        too_wide = (levels * scale > limit) | (np.abs(low) > limit)
    # Where the range is beyond the type: the widest scale that fits, around the middle.
    middle = low.astype(float) + scale.astype(float) * float(levels) / 2
    narrow = np.minimum(scale, limit / levels)
    with np.errstate(over="ignore"):
        edge = (middle - narrow.astype(float) * float(levels) / 2).astype(np.float32)
    scale = rounded(np.where(too_wide, narrow, scale), kind)
    bias = rounded(np.where(too_wide, np.clip(edge, -limit, limit), low), kind)
    while True:
        with np.errstate(over="ignore"):
            last = rounded(rounded(levels * scale, kind) + bias, kind)
        if np.isfinite(last).all():
            return scale[..., None], bias[..., None]
        lowered = rounded(scale * np.float32(1 - 2.0**-8), kind)
        scale = np.where(np.isfinite(last), scale, lowered)


def losses(values, decoded):
    """Squared norm, squared error, largest error."""
    exact = values.astype(np.float64)
    difference = exact - decoded.astype(np.float64)
    return np.array([
        np.square(exact).sum(), np.square(difference).sum(),
        np.abs(difference).max(initial=0)])


def codes(groups, scale, bias, bits):
    step = np.where(scale == 0, np.float32(1), scale)
    with np.errstate(over="ignore"):
        found = np.clip((groups - bias) / step, 0, np.float32(2**bits - 1))
    return np.where(scale == 0, np.float32(0), np.rint(found))


def weight_groups(matrix, size, bits, kind):
    """Groups along the inputs; product and sum are rounded to the type of the scales."""
    groups = matrix.reshape(-1, size)
    scale, bias = line(groups, bits, kind)
    product = rounded(codes(groups, scale, bias, bits) * scale, kind)
    return losses(groups, rounded(product + bias, kind))


def cache_groups(groups, bits):
    """Scale and bias in F16, decoded in float32."""
    scale, bias = line(groups, bits, "F16")
    return losses(groups, codes(groups, scale, bias, bits) * scale + bias)


def symmetric(rows, bits):
    """Around zero, one scale for each row, decoded."""
    limit = np.float32(2 ** (bits - 1) - 1)
    step = np.abs(rows).max(-1, keepdims=True) / limit
    usable = step >= np.finfo(np.float32).smallest_normal
    safe = np.where(usable, step, np.float32(1))
    decoded = np.clip(np.rint(rows / safe), -limit, limit) * safe
    return np.where(usable, decoded, np.float32(0))


def merged(parts):
    parts = np.array(list(parts))
    return np.array([parts[:, 0].sum(), parts[:, 1].sum(), parts[:, 2].max()])


def activation_round_trips(values):
    """By scheme, group size and bits."""
    return {
        key: losses(values, decoded) for key, decoded in decoded_activations(values).items()}


def decoded_activations(values):
    return {
        (scheme, None, bits): symmetric(rows, bits).reshape(values.shape)
        for bits in (4, 8)
        for scheme, rows in [("per_token", values), ("per_tensor", values.reshape(1, -1))]}


def rest_of_activations(values, outlier_ratio):
    """Squared norm and error of the channels that are no outliers, and the median of the tokens'
    SQNR in them; infinite where that token loses nothing, None where all of them are 0."""
    absmax = np.abs(values).max(0).astype(np.float64)
    median = np.median(absmax)
    rest = absmax <= outlier_ratio * median if median > 0 else np.full(len(absmax), True)
    found = {}
    for key, decoded in decoded_activations(values).items():
        exact = values[:, rest].astype(np.float64)
        norms = np.square(exact).sum(1)
        errors = np.square(exact - decoded[:, rest].astype(np.float64)).sum(1)
        with np.errstate(divide="ignore"):
            tokens = 10 * np.log10(norms[norms > 0] / errors[norms > 0])
        found[key] = norms.sum(), errors.sum(), np.median(tokens) if tokens.size else None
    return found


def cache_round_trips(values, part_lengths):
    """The same for keys and values, [tokens, kv_heads, head_dim], and for latent vectors, [tokens, width]."""
    head = values.shape[-1]
    size = 128 if head % 128 == 0 else head
    flat = values.reshape(len(values), -1)
    runs = []
    start = 0
    for length in part_lengths:
        end = start + length
        runs += [flat[i:min(i + CHANNEL_GROUP, end)].T for i in range(start, end, CHANNEL_GROUP)]
        start = end
    trips = {}
    for bits in (2, 3, 4, 8):
        trips["per_token_group", size, bits] = cache_groups(flat.reshape(-1, size), bits)
        trips["per_channel_group", CHANNEL_GROUP, bits] = merged(
            cache_groups(np.ascontiguousarray(run), bits) for run in runs)
    return trips


def weight_round_trips(matrix, size, kind):
    return {
        ("group", size, bits): weight_groups(matrix, size, bits, kind) for bits in (2, 3, 4, 5, 6, 8)}
