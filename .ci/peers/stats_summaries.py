"""What `decant stats --json` says of whole layers and models, from figures of their tensors."""

from collections import defaultdict

import numpy as np
from scipy import stats

from figures import check_histogram, check_rest, check_round_trips, moments
from round_trips import merged

FEATURE_ROLES = {
    "attn_q", "attn_k", "attn_v", "attn_qkv", "attn_o", "attn_q_a", "attn_kv_a", "mlp_gate",
    "mlp_up", "mlp_gate_up", "shared_expert_gate", "shared_expert_up", "shared_expert_gate_up"}


def kurtosis_of(group):
    found = [known["kurtosis"] for _, known in group if known["kurtosis"] is not None]
    return np.mean(found) if found else None


def absmax_of(group):
    return max(known["absmax"] for _, known in group)


def stands_out(group, layers):
    """Whether kurtosis or AbsMax exceeds three times the median of the layers."""
    typical = np.median([k for k in map(kurtosis_of, layers) if k is not None] or [0])
    return bool(
        (kurtosis_of(group) or 0) > 3 * typical
        or absmax_of(group) > 3 * np.median([absmax_of(other) for other in layers]))


def losses_of(group):
    """Sums over the tensors, by scheme, group size of the first tensor, and bits."""
    sizes, sums = {}, {}
    for _, known in group:
        for (scheme, size, bits), losses in known["trips"].items():
            key = scheme, bits
            sizes.setdefault(key, size)
            sums[key] = merged([sums[key], losses]) if key in sums else losses
    return {(scheme, sizes[scheme, bits], bits): sums[scheme, bits] for scheme, bits in sums}


USUAL_SCHEMES = {"weight": "group", "activation": "per_token"}


def four_bit_error(summary):
    """What 4 bits lose of a layer over what there is; of inputs without their outlier channels."""
    usual = USUAL_SCHEMES.get(summary["kind"], "per_token_group")
    for trip in summary["quantization"]:
        if trip["scheme"] == usual and trip["bits"] == 4:
            rest = "rest_" if "rest_squared_norm" in trip else ""
            norm = trip[f"{rest}squared_norm"]
            return trip[f"{rest}squared_error"] / norm if norm > 0 else None
    return None


def is_lossy(summary, summaries):
    errors = [four_bit_error(other) for other in summaries
              if other["kind"] == summary["kind"] and other["layer"] is not None]
    errors = [error for error in errors if error is not None]
    own = four_bit_error(summary)
    if summary["layer"] is None or own is None or np.median(errors) == 0:
        return False
    return bool(own > 2 * np.median(errors))


def check_layers(figures, document, measured):
    """The summaries of layers, from what was found of their tensors; vectors take no part."""
    groups = defaultdict(list)
    for entry, known in measured:
        if len(entry["shape"]) > 1:
            groups[entry["kind"], entry["layer"]].append((entry, known))
    summaries = {(s["kind"], s["layer"]): s for s in document["layers"]}
    figures.same("layers", sorted(map(str, summaries)), sorted(map(str, groups)))
    for kind, layer in groups.keys() & summaries.keys():
        group = groups[kind, layer]
        layers = [g for (k, l), g in groups.items() if k == kind and l is not None]
        figures.same(f"{kind} layer {layer}: is_lossy", summaries[kind, layer]["is_lossy"],
                     is_lossy(summaries[kind, layer], document["layers"]))
        is_outlier = layer is not None and stands_out(group, layers)
        check_layer(
            figures, f"{kind} layer {layer}", summaries[kind, layer], group, is_outlier,
            document["method"] == "search" and kind == "weight")


def check_layer(figures, where, summary, group, is_outlier, is_searched):
    figures.members(where, summary, [
        "kind", "layer", "tensor_count", "count", "non_finite", "zeros", "absmax", "mean", "std",
        "kurtosis", "channel_ratio", "token_ratio", "is_outlier", "is_lossy", "histogram",
        "quantization"])
    together = np.concatenate([known["finite"] for _, known in group])
    count = sum(entry["count"] for entry, _ in group)
    figures.same(f"{where}: tensor_count", summary["tensor_count"], len(group))
    figures.same(f"{where}: count", summary["count"], count)
    figures.same(f"{where}: non_finite", summary["non_finite"], count - together.size)
    figures.same(f"{where}: zeros", summary["zeros"], int((together == 0).sum()))
    figures.same(f"{where}: absmax", summary["absmax"], absmax_of(group))
    figures.same(f"{where}: is_outlier", summary["is_outlier"], is_outlier)
    mean, std, _, _ = moments(together)
    figures.close(f"{where}: mean", summary["mean"], mean, scale=1e-6 * absmax_of(group))
    figures.close(f"{where}: std", summary["std"], std)
    figures.close(f"{where}: kurtosis", summary["kurtosis"], kurtosis_of(group))
    for name, axes in [
        ("channel_ratio", ("input_channels", "channels")), ("token_ratio", ("tokens",))
    ]:
        ratios = [(entry.get(axis) or {}).get("ratio") for entry, _ in group for axis in axes]
        largest = max((ratio for ratio in ratios if ratio is not None), default=None)
        figures.same(f"{where}: {name}", summary[name], largest)
    check_histogram(
        figures, f"{where}: histogram", summary["histogram"], together,
        any(known["is_binned"] for _, known in group))
    check_round_trips(
        figures, where, summary["quantization"], losses_of(group), is_bound=is_searched)
    if summary["kind"] == "activation":
        rests = [known["rest"] for _, known in group]
        check_rest(figures, where, summary["quantization"], {
            key: (*(sum(rest[key][i] for rest in rests) for i in (0, 1)), None)
            for key in rests[0]}, False)


def check_features(figures, document, measured):
    """LLM.int8(): channels that reach 6 in a quarter of the layers and at 6 % of the tokens."""
    inputs = [
        (entry["layer"], known["tokens_at_6"], entry["shape"][0]) for entry, known in measured
        if entry["kind"] == "activation" and entry["role"] in FEATURE_ROLES
        and entry["layer"] is not None]
    layers, tokens = defaultdict(set), defaultdict(int)
    for layer, counts, _ in inputs:
        for channel in np.flatnonzero(counts):
            layers[int(channel)].add(layer)
            tokens[int(channel)] += int(counts[channel])
    layer_count = len({layer for layer, _, _ in inputs})
    token_count = sum(count for _, _, count in inputs)
    ours = [
        (c, len(found), len(found) / layer_count, tokens[c] / token_count)
        for c, found in layers.items()
        if len(found) / layer_count >= 0.25 and tokens[c] / token_count >= 0.06]
    theirs = [
        (f["channel"], f["layer_count"], f["layer_share"], f["token_share"])
        for f in document["outlier_features"]]
    figures.same("outlier_features", theirs, sorted(ours, key=lambda f: (-f[3], f[0])))


def check_importance(figures, entries):
    """Figures of importance matrices, from the mean squares that stand beside them; needs
    --channels."""
    for entry in entries:
        where = f"{entry['name']} expert {entry['expert']}"
        figures.members(where, entry, [
            "name", "role", "layer", "expert", "weights", "tokens", "channels", "sum", "min", "max",
            "mean", "std", "active_share", "entropy", "normalized_entropy", "outlier_share",
            "mean_square"])
        squares = np.array(entry["mean_square"])
        mean, std, total = squares.mean(), squares.std(), squares.sum()
        entropy = stats.entropy(squares, base=2) if total else None
        figures.same(f"{where}: channels", entry["channels"], squares.size)
        for name, ours in {
            "sum": total, "min": squares.min(), "max": squares.max(), "mean": mean, "std": std,
            "active_share": np.mean(squares > 1e-5), "entropy": entropy,
            "normalized_entropy": entropy / np.log2(squares.size) if total else None,
            "outlier_share": np.mean((squares - mean) / std > 1) if std else 0,
        }.items():
            figures.close(f"{where}: {name}", entry[name], ours)
