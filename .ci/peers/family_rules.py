"""What must become of the tensors of a checkpoint, by their names and shapes in the source.

The rules know nothing of decant's own: they say which tensors are delicate, which are weights of
experts, and what a converter may leave out, for the families of the catalogue.
"""

import re

import numpy as np

from family_checkpoints import decoded

# 4 bits lose 0.08 to 0.1 of normally distributed weights.
LARGEST_LOSS = 0.2
# Floats that were decoded, or multiplied, and rounded to 16 bits.
LARGEST_ROUNDING = 0.01

DELICATE = {
    "norm": r"(^|[._])(layer_?norm|rms_?norm|norm|ln)(\d*|_\w+)(\.(weight|bias))?$"
            r"|(layer_?norm|_norm|\.norm\d?|\.ln)\.W_(down|up)\."
            r"|(layer|group)_?norm\w*\.weight$|_clip\.scale$",
    "router": r"router|(mlp|moe|ffn|feed_forward|mixer)\.gate\.(?!gate_proj|up_proj)"
              r"|shared_expert_gate|gate_projections\.|expert_bias|correction_bias",
    "bias": r"(^|[._])bias(es)?$|_bias$|\.(dt|lambda)_bias",
    "convolution": r"conv1d(\.weight)?$|\.[qkv]_conv(1d)?\.|\.conv\.conv\.weight$"
                   r"|conv_q?k?_(grouped|depthwise)",
    "state": r"A_log$|\.D$|\.dt_proj\.|time_(decay|first|maaa|mix)|(igate|fgate)_preact|sinks?$"
             r"|\.mix_|rotary|inv_freq|rel_logits_proj",
    "lookup table": r"(^|\.)(wpe|pos_embed|position_embeddings?|positions_embed|embed_positions"
                    r"|token_type_embeddings|segment_embedding|pos_embedding|position_embedding_table"
                    r"|positional_embedding\w*|tile_embedding)(\.|$)"
                    r"|decoder\.ngram_embeddings\.|compressor\.ape$|relative_attention_bias"
                    r"|bias_values",
    "vision or audio part": r"(^|\.)(vision_tower|vision_model|visual|audio_tower|image_encoder"
                            r"|embed_tokens_extend|vision_embedder|visual_projection|img_processor"
                            r"|vision_embed_tokens|connector|multi_modal_projector|embed_vision|embed_audio)\.",
}

EXPERTS = (r"experts?\..*(up_proj|down_proj|gate_proj|_linear)(\.weight|_blocks)?$"
           r"|experts\.mlp\.(w1|v1|w2)$|experts\.w(13|2)_weight$|experts\.fc[12]\.weight$"
           r"|(block_sparse_moe|mlp)\.(input|output)_linear\.weight$"
           r"|moe\.(gate|up|down)_proj\.weight$")

# Matrices that are kept although no rule above asks for it, and why that is right.
KEPT_ANYWAY = {
    r"rel_attn\.[qkvor]$": "XLNet stores projections as [hidden, heads, size]: no runtime packs them",
    r"rg_lru\.(input|recurrent)_gate_weight$": "block-diagonal gates",
    r"mamba\.x_proj_weight$": "Zamba's inputs of the state, one matrix for each head",
    r"^lm_head$": "talkie's head is a parameter of its own, which mlx-lm keeps as well",
    r"shared_experts\.": "a stack of one expert",
    r"\.[awvg]_lora\.": "RWKV's decays and gates, in two small factors",
    r"(query|key)_decay|slope": "decays of linear attention",
    r"self_attn\.f_[ab]_proj\.|attention\.f_proj\.": "decays of gated delta nets: they feed an exponential",
    r"relative_pos_embeddings\.": "ProphetNet's relative positions",
    r"attn_sink_proj\.": "Inkling's attention sinks, which feed a softmax",
    r"gate_up_proj_adapter_list\.": "Zamba2's low-rank pairs beside a shared block",
}

DROPPED = (r"rotary_emb\.inv_freq$|rotary_pos_emb\.inv_freq$|(attn|attention)\.(bias|masked_bias)$"
           r"|_scale_inv$|_scales$")


def unit_rows(values):
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def one_more(values):
    return values + 1


# Tensors that may come back changed, by model type: the name, the largest relative error if they are
# kept, the form in which to compare, and why.
CHANGED = {
    "baichuan_m1": (r"^lm_head\.weight$", 0, unit_rows,
                    "mlx-lm takes a packed head for one whose rows have been normalized"),
    "qwen3_next": (r"norm\.weight$", LARGEST_ROUNDING, one_more,
                   "mlx-lm adds 1 only where experts are not stacked; decant adds it and rounds"),
}

# What may be missing besides, by model type, since mlx-lm takes it for an error.
LEFT_OUT = {"qwen3_next": r"^mtp\."}


def kind_of(name):
    """Why a tensor is delicate, or nothing."""
    for kind, pattern in DELICATE.items():
        if re.search(pattern, name):
            return kind
    return None


def is_expert_stack(name, shape):
    return re.search(EXPERTS, name) is not None and len(shape) >= 2 and not name.endswith("bias")


def is_plain_matrix(name, shape):
    """Whether leaving it in 16 bits needs a reason."""
    return len(shape) in (2, 3) and min(shape) >= 32 and shape[-1] % 32 == 0 \
        and not re.search(r"conv", name)


def distance(values, reference):
    """The norm of the difference, relative to that of the reference."""
    if np.array_equal(values, reference, equal_nan=values.dtype.kind == "f"):
        return 0.0
    values, reference = values.astype(np.float64), reference.astype(np.float64)
    norm = np.linalg.norm(reference)
    difference = float(np.linalg.norm(values - reference))
    return difference / norm if norm else difference


def is_input_major(config, name, shape):
    """Whether the inputs of a stored matrix are its rows."""
    model_type = config["model_type"]
    if model_type in ("gpt2", "gpt-sw3", "openai-gpt"):
        return re.search(r"\.c_(attn|proj|fc)\.weight$", name) is not None
    if re.search(r"experts\.(gate_up_proj|down_proj)$", name):
        text = config.get("text_config") or config
        outputs = shape[-1] if name.endswith("down_proj") else shape[-2]
        return model_type in ("gpt_oss", "llama4", "llama4_text") \
            or model_type == "qwen3_vl_moe" and outputs == text["hidden_size"]
    return re.search(r"experts\.fc[12]\.weight$|experts\.mlp\.w2$", name) is not None


def has_groups_along(array, axis):
    """Whether groups along an axis have no more values than 4 bits can tell."""
    moved = np.ascontiguousarray(np.moveaxis(array, axis, -1))
    for size in (128, 64, 32):
        if moved.shape[-1] % size == 0:
            groups = np.sort(moved.reshape(-1, size), axis=1)
            values = 1 + (groups[:, 1:] != groups[:, :-1]).sum(1)
            if values.max() <= 16:
                return True
    return False


def is_grouped(config, name, array, input_major):
    """Whether a tensor was packed in groups along its inputs."""
    if array.ndim < 2:
        return False
    if has_groups_along(array, -2 if input_major else -1):
        return True
    if not name.endswith("kv_b_proj.weight"):
        return False
    # Or in two parts, as mlx-lm multiplies them: that of the keys, by head, the other way.
    heads = array.reshape(config["num_attention_heads"], -1, array.shape[-1])
    keys, values = np.split(heads, [config["qk_nope_head_dim"]], axis=1)
    return has_groups_along(keys, -2) and has_groups_along(values, -1)


def check_tensors(config, source, unpacked, listed):
    """Holds what was unpacked against its source. `listed` is what the conversion said of each.

    Returns the problems, and the names of the tensors that lost something.
    """
    problems, packed = [], set()
    values = decoded(source)
    changed, kept_limit, form, _ = CHANGED.get(config["model_type"], (r"(?!)", 0, None, ""))
    for name in sorted(set(unpacked) - set(values)):
        problems.append(f"{name} is not in the source")
    for name, reference in sorted(values.items()):
        action = listed.get(name, {}).get("action")
        if name not in unpacked:
            if not may_be_dropped(config, source, name):
                problems.append(f"{name} is missing")
            elif action not in ("drop", None):
                problems.append(f"{name} is missing, but not said to be dropped")
            continue
        dtype, array = unpacked[name]
        was = source.get(name)
        input_major = is_input_major(config, name, array.shape)
        if was is None and not same(array, reference):
            # Decoded from MXFP4, whose inputs are the columns; of plain stacks they are the rows.
            input_major = True
            reference = reference.swapaxes(1, 2)
        elif was is None:
            input_major = False
        if array.shape != reference.shape:
            problems.append(f"{name} has shape {list(array.shape)}, not {list(reference.shape)}")
            continue
        is_coded = was is None or was[0].startswith("F8")
        if not is_coded and dtype != was[0]:
            problems.append(f"{name} is {dtype}, not {was[0]}")
            continue
        if not is_coded and array.tobytes() == was[1].tobytes():
            problems += kept_wrongly(config, name, array.shape, action)
            continue
        found = array.astype(np.float32)
        if form and re.search(changed, name):
            found, reference = form(found), form(reference)
        error = distance(found, reference)
        grouped = is_grouped(config, name, array.astype(np.float32), input_major)
        if action in ("copy", "decode") or action is None and not grouped:
            limit = LARGEST_ROUNDING if is_coded else kept_limit if re.search(changed, name) else 0
            if not error <= limit:
                problems.append(f"{name} was kept, but differs by {error:.3g}")
            else:
                problems += kept_wrongly(config, name, array.shape, action)
            continue
        packed.add(name)
        if not error <= LARGEST_LOSS:
            problems.append(f"{name} is off by {error:.3g}")
        if not grouped:
            problems.append(f"{name} has no groups along its inputs")
        if kind := kind_of(name):
            problems.append(f"{name} is quantized: {kind}")
    return problems, packed


def same(array, reference):
    """Whether it is the reference with some noise, not that with its axes exchanged."""
    return array.shape == reference.shape \
        and distance(array.astype(np.float32), reference) <= LARGEST_LOSS


def may_be_dropped(config, source, name):
    if re.search(DROPPED, name) or re.search(LEFT_OUT.get(config["model_type"], r"(?!)"), name):
        return True
    if name not in source:
        return False
    text = config.get("text_config") or {}
    is_tied = config.get("tie_word_embeddings", text.get("tie_word_embeddings", True))
    return is_tied and any(
        other != name and array.shape == source[name][1].shape
        and array.tobytes() == source[name][1].tobytes()
        for other, (_, array) in source.items())


def kept_wrongly(config, name, shape, action):
    if action == "quantize":
        return [f"{name} is said to be quantized and is not"]
    if config.get("norm_head") and name == "lm_head.weight":
        return []  # mlx-lm divides it by norms of its columns, packed or not
    if is_expert_stack(name, shape) and not kind_of(name) and min(shape) > 1:
        return [f"{name} {list(shape)} is kept: experts"]
    if is_plain_matrix(name, shape) and not kind_of(name) and not any(
            re.search(pattern, name) for pattern in KEPT_ANYWAY):
        return [f"{name} {list(shape)} is kept: nothing says why"]
    return []


def summarize(problems):
    """Problems that differ in numbers of layers and experts only, as one."""
    groups = {}
    for problem in problems:
        groups.setdefault(re.sub(r"(?<=\.)\d+(?=\.)|[\d.e-]+$", "N", problem), []).append(problem)
    return [
        group[0] + (f" (and {len(group) - 1} more)" if len(group) > 1 else "")
        for group in groups.values()]
