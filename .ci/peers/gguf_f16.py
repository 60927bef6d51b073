"""Writes a checkpoint of Llama's kind as a GGUF file of F16 matrices, one tensor at a time.

Enough for llama.cpp to quantize it: the vocabulary is empty, and the rows of queries and keys stay in their
order, which costs a quantizer nothing.
Source: ggml-org/llama.cpp, ggml/include/gguf.h.
"""

import json
import math
import struct

ALIGNMENT = 32
F32, F16 = 0, 1

NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def _header(path):
    """The tensors of a safetensors file, and where its data begins."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, 8 + length


def types(shards):
    """The element types of the tensors in these safetensors files."""
    return {tensor["dtype"] for shard in shards for tensor in _header(shard)[0].values()}


def gguf_name(name):
    """What llama.cpp calls a tensor. Raises ValueError for one that it does not know."""
    inner, prefix = name.removesuffix(".weight"), ""
    if inner.startswith("model.layers."):
        layer, inner = inner.removeprefix("model.layers.").split(".", 1)
        prefix = f"blk.{layer}."
    if inner not in NAMES:
        raise ValueError(f"{name} has no name in its format")
    return f"{prefix}{NAMES[inner]}.weight"


def _string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _metadata(config):
    """Key, type and value of everything that the loader asks for."""
    heads = config["num_attention_heads"]
    config = {
        "num_key_value_heads": heads, "head_dim": config["hidden_size"] // heads,
        "max_position_embeddings": 2048, **config,
    }
    entries = [("general.architecture", 8, _string("llama"))]
    numbers = {
        "context_length": "max_position_embeddings", "embedding_length": "hidden_size",
        "block_count": "num_hidden_layers", "feed_forward_length": "intermediate_size",
        "attention.head_count": "num_attention_heads",
        "attention.head_count_kv": "num_key_value_heads", "vocab_size": "vocab_size",
        "attention.key_length": "head_dim", "attention.value_length": "head_dim",
        "rope.dimension_count": "head_dim",
    }
    entries += [(f"llama.{key}", 4, struct.pack("<I", config[name])) for key, name in numbers.items()]
    epsilon = struct.pack("<f", config["rms_norm_eps"])
    entries.append(("llama.attention.layer_norm_rms_epsilon", 6, epsilon))
    entries.append(("tokenizer.ggml.model", 8, _string("none")))
    return entries


def numbers(data, dtype):
    """The numbers of stored F16, BF16 or F32 elements."""
    if dtype == "BF16":
        return (data.view("<u2").astype("<u4") << 16).view("<f4")
    return data.view({"F16": "<f2", "F32": "<f4"}[dtype])


def write(checkpoint, target):
    """Writes the GGUF file. Raises ValueError for what it cannot hold, ImportError without NumPy."""
    import numpy as np

    config = json.loads((checkpoint / "config.json").read_text())
    if config["model_type"] != "llama":
        raise ValueError("only models of Llama's kind are brought into its format")
    tensors = []
    # Beside a model other tensors may lie.
    shards = sorted(checkpoint.glob("model*.safetensors")) or sorted(checkpoint.glob("*.safetensors"))
    for shard in shards:
        header, start = _header(shard)
        tensors += [(name, shard, start, tensor) for name, tensor in header.items()]
    for _, _, _, tensor in tensors:
        if tensor["dtype"] not in ("F16", "BF16", "F32"):
            raise ValueError(f"{tensor['dtype']} is not brought into its format")
    metadata = _metadata(config)
    head = b"GGUF" + struct.pack("<Iqq", 3, len(tensors), len(metadata))
    for key, kind, value in metadata:
        head += _string(key) + struct.pack("<i", kind) + value
    offset = 0
    for name, _, _, tensor in tensors:
        shape = tensor["shape"][::-1]
        kind = F16 if len(shape) == 2 else F32
        head += _string(gguf_name(name)) + struct.pack(f"<I{len(shape)}q", len(shape), *shape)
        head += struct.pack("<iQ", kind, offset)
        size = math.prod(shape) * (2 if kind == F16 else 4)
        offset += -(-size // ALIGNMENT) * ALIGNMENT
    partial = target.with_suffix(".partial")
    with open(partial, "wb") as file:
        file.write(head + bytes(-len(head) % ALIGNMENT))
        for _, shard, start, tensor in tensors:
            begin, end = tensor["data_offsets"]
            data = np.fromfile(shard, np.uint8, end - begin, offset=start + begin)
            kind = "<f2" if len(tensor["shape"]) == 2 else "<f4"
            data = numbers(data, tensor["dtype"]).astype(kind).tobytes()
            file.write(data + bytes(-len(data) % ALIGNMENT))
    partial.rename(target)
