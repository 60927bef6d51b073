"""Quantizes models to GGUF files, and holds types, errors and logits to llama.cpp's.

Usage: check_gguf_types.py DECANT VECTORS

Every type of `--type` gives each tensor the type that llama-quantize gives it, of models of random weights and of
some tiny ones from VECTORS, whose rows are no whole blocks of most types. What gguf-py decodes is as far from the
weights as the manifest says. llama.cpp loads the files; what it predicts is as near to what it predicts with F32
weights as with a file of llama-quantize: with random weights and few tokens the divergences of both scatter, so that
one may be twice the other.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.numpy import save_file

import llama_library

# Number of the file type, and whether llama-quantize is asked for one type for all matrices.
TYPES = {
    "Q8_0": (7, False), "Q6_K": (18, False), "Q5_K_M": (17, False), "Q5_K_S": (16, False),
    "Q4_K_M": (15, False), "Q4_K_S": (14, False), "Q3_K_L": (13, False), "Q3_K_M": (12, False),
    "Q3_K_S": (11, False), "Q2_K": (10, False), "Q5_1": (9, True), "Q5_0": (8, True), "Q4_1": (3, True),
    "Q4_0": (2, True), "Q5_K": (16, True), "Q4_K": (14, True), "Q3_K": (11, True),
}
# Layers, heads of keys and values beside 8 of queries, and what else a configuration says.
MODELS = {
    "llama": (9, 2, {"tie_word_embeddings": False}),
    "qwen3": (2, 4, {"tie_word_embeddings": True, "head_dim": 32}),
    "gemma2": (2, 8, {"head_dim": 32, "query_pre_attn_scalar": 32, "hidden_activation": "gelu_pytorch_tanh"}),
}
RUN = ["Q8_0", "Q4_K_M"]
# Of VECTORS; with experts, fused and other projections.
SMALL = ["mixtral", "falcon-7b-style", "falcon-new-decoder", "gpt2", "phi3-longrope", "qwen3-moe"]
SMALL_TYPES = ["Q8_0", "Q6_K", "Q4_K_M", "Q3_K_L", "Q2_K"]


def convert(decant, source, target, *options):
    result = subprocess.run(
        [decant, "convert", source, "-o", target, *options], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{source} {' '.join(options)}: {result.stderr}")
    return result.stdout


def write_model(name, folder, noise):
    """A checkpoint of a family, of random weights, whose rows are whole blocks of every type."""
    hidden, rows = 256, 512
    layers, heads, more = MODELS[name]
    config = {
        "model_type": name, "hidden_size": hidden, "num_attention_heads": 8,
        "num_key_value_heads": heads, "num_hidden_layers": layers, "intermediate_size": hidden,
        "vocab_size": rows, "rms_norm_eps": 1e-5, "max_position_embeddings": 64, **more,
    }
    tensors = {"model.embed_tokens.weight": (rows, hidden), "model.norm.weight": (hidden,)}
    if not more.get("tie_word_embeddings", True):
        tensors["lm_head.weight"] = (rows, hidden)
    for layer in range(layers):
        place = f"model.layers.{layer}."
        norms = ["input_layernorm", "post_attention_layernorm"]
        if name == "gemma2":
            norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"]
        tensors |= {f"{place}{norm}.weight": (hidden,) for norm in norms}
        if name == "qwen3":
            tensors |= {f"{place}self_attn.{x}_norm.weight": (32,) for x in "qk"}
        outputs = {"q": hidden, "k": 32 * heads, "v": 32 * heads, "o": hidden}
        tensors |= {f"{place}self_attn.{x}_proj.weight": (n, hidden) for x, n in outputs.items()}
        tensors |= {f"{place}mlp.{x}_proj.weight": (hidden, hidden) for x in ["gate", "up", "down"]}
    folder.mkdir()
    save_file(
        {
            tensor: (noise.normal(1 if len(shape) == 1 else 0, 0.06, shape)).astype(np.float16)
            for tensor, shape in tensors.items()
        }, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))


def planned_types(decant, source, kind):
    """What decant says before it writes."""
    report = json.loads(convert(decant, source, "none.gguf", "--type", kind, "--dry-run", "--json"))
    return {tensor["name"]: tensor["type"] for tensor in report["tensors"] if tensor["type"]}


def stored_types(path):
    return {tensor.name: tensor.tensor_type.name for tensor in GGUFReader(path).tensors}


def check_types(decant, source, plain, kinds, scratch):
    quantize = llama_library.quantizer()
    for kind in kinds:
        peer = scratch / f"{source.name}-{kind}-peer.gguf"
        quantize(plain, peer, *TYPES[kind], 2)
        expected, found = stored_types(peer), planned_types(decant, source, kind)
        # Tensors that are worked out have no entry in the report.
        wrong = {n: (t, expected[n]) for n, t in found.items() if expected[n] != t}
        if wrong or len(found) < len(expected) - 2:
            sys.exit(f"{source.name} {kind}: decant's type, llama-quantize's: {wrong or len(found)}")
    print(f"{source.name}: types of {len(expected)} tensors in {len(kinds)} mixes")


def check_errors(path, plain):
    """Holds the manifest's errors against what gguf-py decodes."""
    reader = GGUFReader(path)
    manifest = json.loads(bytes(reader.fields["decant.manifest"].parts[-1]))
    originals = {tensor.name: tensor for tensor in GGUFReader(plain).tensors}
    worst, count = 0, 0
    for tensor in reader.tensors:
        recorded = manifest["tensors"].get(tensor.name, {}).get("error")
        if recorded is None:
            continue
        weights = originals[tensor.name].data.astype(np.float64)
        decoded = dequantize(tensor.data, tensor.tensor_type).astype(np.float64)
        error = np.sqrt(((decoded - weights) ** 2).sum() / (weights**2).sum())
        said = np.sqrt(recorded["squared_error"] / recorded["squared_norm"])
        worst, count = max(worst, abs(error - said)), count + 1
    if not count or not worst <= 1e-6:
        sys.exit(f"{path.name}: errors of {count} tensors differ by {worst:.1e} from those that gguf-py finds")
    return count, worst


def logits(path, ids):
    model = llama_library.Model(path, len(ids))
    found = model.logits(ids).astype(np.float64)
    model.close()
    return found - np.log(np.exp(found).sum(axis=1, keepdims=True))


def check_model(decant, name, scratch, noise):
    source, plain = scratch / name, scratch / f"{name}-F32.gguf"
    write_model(name, source, noise)
    convert(decant, source, plain, "--type", "F32", "-q")
    check_types(decant, source, plain, TYPES if name == "llama" else RUN, scratch)
    ids = noise.integers(0, 512, 60)
    reference = logits(plain, ids)
    for kind in RUN:
        path = scratch / f"{name}-{kind}.gguf"
        convert(decant, source, path, "--type", kind, "-q")
        count, difference = check_errors(path, plain)
        own, peer = (
            (np.exp(reference) * (reference - logits(file, ids))).sum(axis=1).mean()
            for file in [path, scratch / f"{name}-{kind}-peer.gguf"]
        )
        print(f"{name} {kind}: KL divergence {own:.1e}, of llama-quantize's file {peer:.1e};"
              f" errors of {count} tensors within {difference:.0e}")
        if not own <= 2 * peer:
            sys.exit(f"{name} {kind}: predictions are farther from those of F32 weights")


def main():
    decant, vectors = sys.argv[1], pathlib.Path(sys.argv[2])
    noise = np.random.default_rng(16)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name in MODELS:
            check_model(decant, name, scratch, noise)
        for name in SMALL:
            plain = scratch / f"{name}-F32.gguf"
            convert(decant, vectors / name, plain, "--type", "F32", "-q")
            check_types(decant, vectors / name, plain, SMALL_TYPES, scratch)


main()
