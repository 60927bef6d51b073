"""What mlx-lm makes of a checkpoint, of decant's packed form of it, and of its own conversion."""

import contextlib
import importlib.util
import io
import json
import os
import traceback

import ml_dtypes
import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm import utils

from family_checkpoints import decoded, read_checkpoint, write_file
from family_rules import distance

mx.set_default_device(mx.cpu)

GROUP_SIZE, BITS = 64, 4
SEQUENCES, LENGTH = 6, 20
# Relative errors. 4 bits lose 0.08 to 0.1 of normally distributed weights.
LARGEST_LOSS = 0.2
# What a weight that was not packed may differ by: mlx-lm multiplies some when it loads them.
LARGEST_ROUNDING = 0.01
# An error of the logits may exceed that of mlx-lm's own conversion by this factor, and by this much.
LARGEST_RATIO = 1.25
FLOOR = 0.02
# These mlx-lm computes from a packed kv_b_proj when it loads it, and packs them again.
PACKED_BY_MLX = ("embed_q", "unembed_out")


class Problem(Exception):
    """Something that the verdict on a row tells."""


def model_type_of(config):
    model_type = config["model_type"]
    return utils.MODEL_REMAPPING.get(model_type, model_type)


def has_type(config):
    return importlib.util.find_spec(f"mlx_lm.models.{model_type_of(config)}") is not None


def told(error):
    """An error in one line, without paths."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split()).replace("\n", " ")
    if len(text) > 160:
        text = text[:160] + "..."
    return f"{type(error).__name__}: {text} ({os.path.basename(frame.filename)})"


def load(path):
    with contextlib.redirect_stdout(io.StringIO()):
        return utils.load_model(path, strict=True)


def rewrite(folder):
    """A checkpoint in a form that mlx-lm loads: 8-bit and 4-bit floats decoded to BF16, and gpt-oss'
    stacks, which mlx-lm reads packed only, split as it would."""
    config = json.loads((folder / "config.json").read_text())
    tensors = read_checkpoint(folder)
    written = {}
    for name, values in decoded(tensors).items():
        kept = tensors.get(name)
        is_kept = kept is not None and not kept[0].startswith("F8")
        parts = {name: values}
        if config["model_type"] == "gpt_oss" and ".mlp.experts." in name:
            parts = gpt_oss_parts(name, values, kept is not None, config)
        for part, array in parts.items():
            written[part] = kept if is_kept and part == name else (
                "BF16", np.asarray(array).astype(ml_dtypes.bfloat16))
    config.pop("quantization_config", None)
    target = folder.with_name(f"{folder.name}-rewritten")
    target.mkdir()
    write_file(target / "model.safetensors", written)
    (target / "config.json").write_text(json.dumps(config))
    return target


def gpt_oss_parts(name, values, is_plain, config):
    """Plain stacks are input-major, MXFP4's the other way; gate and up alternate."""
    stem, last = name.rsplit(".", 1)
    if last == "down_proj_bias":
        return {f"{stem}.down_proj.bias": values}
    if last == "gate_up_proj_bias":
        return {f"{stem}.gate_proj.bias": values[:, ::2], f"{stem}.up_proj.bias": values[:, 1::2]}
    values = values.swapaxes(1, 2) if is_plain else values
    if last == "down_proj":
        return {f"{stem}.down_proj.weight": values}
    return {f"{stem}.gate_proj.weight": values[:, ::2], f"{stem}.up_proj.weight": values[:, 1::2]}


def load_plain(folder):
    """The unpacked model, and what it was loaded from."""
    config = json.loads((folder / "config.json").read_text())
    method = (config.get("quantization_config") or {}).get("quant_method")
    if method != "mxfp4":
        try:
            return load(folder)[0], folder
        except Exception:
            if method != "fp8" and config["model_type"] != "gpt_oss":
                raise
    target = rewrite(folder)
    return load(target)[0], target


def as_numpy(array):
    if mx.issubdtype(array.dtype, mx.floating):
        array = array.astype(mx.float32)
    return np.array(array)


def parameters_of(model):
    """Every parameter by name, packed ones decoded in F32; and the names of the packed ones."""
    values, packed = {}, set()
    for path, module in model.named_modules():
        own = {k: v for k, v in module.items() if isinstance(v, mx.array)}
        is_packed = "scales" in own and own.get("weight") is not None and \
            own["weight"].dtype == mx.uint32
        for key, array in own.items():
            name = f"{path}.{key}" if path else key
            if is_packed and key == "weight":
                mode = getattr(module, "mode", "affine")
                scales, biases = own["scales"], own.get("biases")
                if mode == "affine":
                    scales, biases = scales.astype(mx.float32), biases.astype(mx.float32)
                values[name] = as_numpy(mx.dequantize(
                    array, scales, biases, module.group_size, module.bits, mode=mode))
                packed.add(name)
            elif not (is_packed and key in ("scales", "biases")):
                values[name] = as_numpy(array)
    # Arrays in lists and dictionaries of a module.
    for name, array in tree_flatten(model.parameters()):
        stem = name.rsplit(".", 1)[0]
        if name not in values and not (
                name.endswith((".scales", ".biases")) and f"{stem}.weight" in packed):
            values[name] = as_numpy(array)
    return values, packed


def token_sequences(config):
    text = config.get("text_config")
    size = config.get("vocab_size") or (text if isinstance(text, dict) else {}).get("vocab_size")
    random = np.random.default_rng(1)
    return random.integers(20, size or 1024, (SEQUENCES, LENGTH))


def output_of(model, tokens):
    output = model(mx.array(tokens)[None])
    if isinstance(output, tuple):
        output = output[0]
    return as_numpy(getattr(output, "logits", output))[0].astype(np.float64)


def centred_logits(model, values, sequences):
    """Logits of the unpacked model with these values for its parameters, in F32."""
    model.update(tree_unflatten([(name, mx.array(value)) for name, value in values.items()]))
    logits = np.concatenate([output_of(model, tokens) for tokens in sequences])
    return logits - logits.mean(-1, keepdims=True)


def compare(values, packed, reference, unpacked):
    """What is wrong with parameters that mlx-lm read from a packed checkpoint."""
    problems = []
    missing, extra = sorted(set(reference) - set(values)), sorted(set(values) - set(reference))
    if missing or extra:
        problems.append(f"parameters missing {missing[:3]}, not in the source {extra[:3]}")
    wrong, differing = [], []
    for name in sorted(set(values) & set(reference)):
        if values[name].shape != reference[name].shape:
            wrong.append(f"{name} has shape {list(values[name].shape)}")
            continue
        error = distance(values[name], reference[name])
        if not error <= (LARGEST_LOSS if name in packed else LARGEST_ROUNDING):
            wrong.append(f"{name} is off by {error:.3g}")
        if unpacked is None:
            continue
        if name not in unpacked or unpacked[name].shape != values[name].shape:
            differing.append(f"{name} is not in what was unpacked")
            continue
        again = any(part in name.split(".") for part in PACKED_BY_MLX)
        error = distance(values[name], unpacked[name])
        if not error <= (LARGEST_LOSS if again else LARGEST_ROUNDING):
            differing.append(f"{name} by {error:.3g}")
    if wrong:
        problems.append(f"{len(wrong)} parameters are wrong: " + ", ".join(wrong[:3]))
    if differing:
        problems.append(
            f"{len(differing)} parameters differ from unpack's: " + ", ".join(differing[:3]))
    return problems


def run_packed(model, tokens):
    """Runs the packed model as it is; products that mlx has in F32 only on the CPU, in that."""
    try:
        output = output_of(model, tokens)
    except RuntimeError as error:
        if "only supports float32" not in str(error):
            raise
        model.set_dtype(mx.float32)
        output = output_of(model, tokens)
    if not np.isfinite(output).all():
        raise Problem("its logits are not finite")


def judge(source, packed, unpacked, tell):
    """The verdict on one checkpoint; `tell` hears what is being done, should it crash."""
    config = json.loads((source / "config.json").read_text())
    result = {"problems": []}
    if not has_type(config):
        return {**result, "state": "no such type"}
    result["state"] = "source fails"
    sequences = token_sequences(config)
    tell("source")
    try:
        model, plain_source = load_plain(source)
        result["rewritten"] = plain_source != source
        reference, _ = parameters_of(model)
        logits = centred_logits(model, reference, sequences)
        if not np.isfinite(logits).all():
            raise Problem("its logits are not finite")
    except (Exception, SystemExit) as error:
        result["reason"] = told(error)
        model = None
    own_error = None
    if model is not None:
        result["state"] = "own fails"
        tell("own")
        try:
            twin, twin_config = load(plain_source)
            with contextlib.redirect_stdout(io.StringIO()):
                twin, _ = utils.quantize_model(twin, twin_config, GROUP_SIZE, BITS)
            own, own_packed = parameters_of(twin)
            own_error = distance(centred_logits(model, own, sequences), logits)
            result["own_error"], result["state"] = own_error, "judged"
        except Exception as error:
            result["reason"] = told(error)
    if packed is None or not packed.exists():
        if model is not None:
            result["problems"].append("nothing was packed")
        return result
    tell("packed")
    try:
        ours, _ = load(packed)
        result["loads"] = True
        values, names = parameters_of(ours)
        run_packed(ours, sequences[0][:5])
        result["runs"] = True
    except (Exception, SystemExit) as error:
        what = "packed does not run" if result.get("loads") else "packed does not load"
        result["packed_reason"] = f"{what}: {told(error)}"
        if model is not None:
            result["problems"].append(result["packed_reason"])
        return result
    if model is None:
        return result
    tell("unpacked")
    plain = None
    try:
        plain, _ = parameters_of(load_plain(unpacked)[0])
    except (Exception, SystemExit) as error:
        result["problems"].append(f"unpacked does not load: {told(error)}")
    result["problems"] += compare(values, names, reference, plain)
    tell("logits")
    if all(name in reference and values[name].shape == reference[name].shape for name in values):
        error = distance(centred_logits(model, values, sequences), logits)
        result["error"] = error
        if own_error is not None and not error <= LARGEST_RATIO * own_error + FLOOR:
            result["problems"].append(
                f"logits are off by {error:.3g}, with mlx-lm's own conversion by {own_error:.3g}")
    if own_error is not None:
        result["only_mlx"] = sorted(own_packed - names)
        result["only_decant"] = sorted(names - own_packed)
    return result
