"""Writes models as GGUF files, and has llama.cpp run them.

Usage: check_gguf.py DECANT VECTORS TOKENIZERS [FAMILY...]

VECTORS is the folder of tiny checkpoints with what transformers computes of each. An F32 file must give its
logits within what llama.cpp's own arithmetic loses, an F16 file within the rounding of weights. Families are
by default some of each kind; `all` are those that decant writes and that llama.cpp computes as transformers.

TOKENIZERS is the folder of tokenizers with their ids: each one that decant writes must give the same in
llama.cpp, which knows no normal forms.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unicodedata

import numpy as np
from safetensors.numpy import load_file, save_file

import llama_library

# Largest difference of logits in F32. llama.cpp takes GELU from a table of F16 numbers.
SILU, GELU = 2e-5, 5e-3
FAMILIES = {
    "llama": SILU, "llama-tied": SILU, "llama-rope-linear": SILU, "llama-rope-llama3": SILU,
    "llama-rope-yarn": SILU, "mixtral": SILU, "qwen3": SILU, "qwen3-moe": SILU, "granite": SILU,
    "glm4": SILU, "olmo2": SILU, "phi3-longrope": SILU, "stablelm": SILU, "stablelm-parallel": SILU,
    "mamba": SILU, "mamba2": SILU, "gemma": GELU, "gemma2": GELU, "gemma3": GELU, "gpt2": GELU,
    "gpt-neox": GELU, "falcon-7b-style": GELU, "falcon-new-decoder": GELU, "bloom": GELU,
}
SHORT = ["llama-rope-llama3", "mixtral", "gemma2", "falcon-new-decoder", "mamba"]
TOKENIZERS = ["llama3", "qwen2", "gpt2", "tekken", "falcon", "starcoder2", "bloom", "deepseek_v3",
              "llama2"]
# Of texts, with other tokens: llama.cpp has the characters of another Unicode version.
MOST_WRONG = 0.02


def convert(decant, source, target, *options):
    result = subprocess.run(
        [decant, "convert", source, "-o", target, "-q", *options], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{source}: {result.stderr}")


def check_logits(decant, vectors, name, scratch):
    reference = load_file(vectors / name / "reference.safetensors")
    ids, expected = reference["input_ids"].reshape(-1), reference["logits"].astype(np.float64)
    differences = []
    for kind, limit in [("F32", FAMILIES[name]), ("F16", 0.1)]:
        path = scratch / f"{name}-{kind}.gguf"
        convert(decant, vectors / name, path, "--type", kind)
        model = llama_library.Model(path, len(ids))
        found = model.logits(ids)[:, :expected.shape[-1]]
        model.close()
        difference = np.abs(found - expected.reshape(found.shape)).max()
        if not difference <= limit:
            sys.exit(f"{name} in {kind}: logits differ by {difference:.2e}, more than {limit}")
        differences.append(difference)
    print(f"{name}: logits within {differences[0]:.1e} in F32, {differences[1]:.1e} in F16")


def write_model(tokenizer, folder, rows):
    """A llama with nothing in it, for the sake of its tokens."""
    hidden = 32
    config = {
        "model_type": "llama", "hidden_size": hidden, "num_attention_heads": 1, "num_hidden_layers": 1,
        "intermediate_size": hidden, "vocab_size": rows, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 64, "tie_word_embeddings": True,
    }
    layer = "model.layers.0."
    shapes = {"model.embed_tokens": (rows, hidden), "model.norm": (hidden,)}
    shapes |= {layer + f"{name}layernorm": (hidden,) for name in ["input_", "post_attention_"]}
    modules = [f"self_attn.{x}_proj" for x in "qkvo"] + [f"mlp.{x}_proj" for x in ["gate", "up", "down"]]
    shapes |= {layer + name: (hidden, hidden) for name in modules}
    save_file(
        {f"{name}.weight": np.zeros(shape, np.float16) for name, shape in shapes.items()},
        folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_bytes((tokenizer / "tokenizer.json").read_bytes())


def check_tokens(decant, tokenizer, scratch):
    cases = json.loads((tokenizer / "golden.json").read_text())["cases"]
    document = json.loads((tokenizer / "tokenizer.json").read_text())
    ids = list(document["model"]["vocab"].values()) + [t["id"] for t in document["added_tokens"]]
    folder = scratch / tokenizer.name
    folder.mkdir()
    write_model(tokenizer, folder, max(ids) + 1)
    path = scratch / f"{tokenizer.name}.gguf"
    convert(decant, folder, path)
    model = llama_library.Model(path, 64)
    # Texts in another normal form, and those that a program cannot hand over.
    cases = [
        case for case in cases
        if "\0" not in case["text"] and unicodedata.is_normalized("NFC", case["text"])
    ]
    wrong = [case["text"] for case in cases if model.tokens(case["text"], False) != case["ids"]]
    model.close()
    print(f"{tokenizer.name}: tokens of {len(cases) - len(wrong)} of {len(cases)} texts")
    if len(wrong) > MOST_WRONG * len(cases):
        sys.exit(f"{tokenizer.name}: other tokens for {wrong[:5]!r} and more")


def main():
    decant, vectors, tokenizers = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    names = sys.argv[4:] or SHORT
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name in FAMILIES if names == ["all"] else names:
            check_logits(decant, vectors, name, scratch)
        for name in TOKENIZERS:
            check_tokens(decant, tokenizers / name, scratch)


main()
