#!/usr/bin/env python3
"""Captures what a language model computes, for `decant stats --activations FILE --kv FILE`.

Runs a Hugging Face model over a text and writes the inputs of its linear layers and its key/value
cache as safetensors files. docs/DUMPS.md describes them.

Needs torch, transformers and safetensors:

    python capture_activations.py MODEL TEXT --activations acts.safetensors --kv kv.safetensors
"""

import argparse
import json
import sys
import weakref
from collections import defaultdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.pytorch_utils import Conv1D

DTYPES = {name: getattr(torch, name) for name in ["float16", "bfloat16", "float32"]}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", help="directory of a checkpoint, or its name on the hub")
    parser.add_argument("text", type=Path, help="text file to run the model over")
    parser.add_argument("--tokens", type=int, default=256, help="tokens to capture (256)")
    parser.add_argument(
        "--window", type=int, help="tokens the model sees at a time (as many as it can)")
    parser.add_argument("--activations", help="file for the inputs of the linear layers")
    parser.add_argument("--kv", help="file for keys and values")
    parser.add_argument(
        "--all-inputs", action="store_true",
        help="also store the inputs that a layer shares with an earlier one")
    parser.add_argument("--dtype", choices=DTYPES, default="float16", help="stored type (float16)")
    parser.add_argument(
        "--arithmetic", choices=DTYPES, default="float32", help="type to compute in (float32)")
    arguments = parser.parse_args()
    if not (arguments.activations or arguments.kv):
        parser.error("nothing to write: give --activations, --kv or both")
    if arguments.tokens < 1 or (arguments.window is not None and arguments.window < 1):
        parser.error("--tokens and --window must be at least 1")
    return arguments


def stored(values, dtype, name):
    """A copy of `values` in the type that the file holds."""
    largest = torch.finfo(dtype).max
    if ((values.abs() > largest) & values.isfinite()).any():
        sys.exit(
            f"{name} holds {values.abs().max():g}, more than the {largest:g} that {dtype} can hold;"
            " use --dtype bfloat16 or --dtype float32")
    return values.detach().to("cpu", dtype, copy=True).contiguous()


class Inputs:
    """Inputs of all linear layers, by module; one entry for each time that a module runs."""

    def __init__(self, layers, dtype, keep_shared):
        self.dtype, self.keep_shared = dtype, keep_shared
        self.captured = defaultdict(list)
        self.shared = {}
        self.latest = {}  # by identity: the tensor, its version, and the module that it went into
        for name, module in layers:
            module.register_forward_pre_hook(self.hook(name), with_kwargs=True)

    def hook(self, name):
        def capture(module, positional, named):
            values = positional[0] if positional else next(iter(named.values()))
            reference, version, owner = self.latest.get(id(values), (lambda: None, 0, None))
            is_same = reference() is values and version == values._version
            if is_same and owner != name and not self.keep_shared:
                self.shared[name] = owner
                return
            self.latest[id(values)] = (weakref.ref(values), values._version, name)
            if values.numel():  # an expert may get no token
                rows = values.reshape(-1, values.shape[-1])
                self.captured[name].append(stored(rows, self.dtype, f"{name}.input"))

        return capture

    def tensors(self):
        both = sorted(self.captured.keys() & self.shared.keys())
        if both:
            sys.exit(f"{both[0]} shares its input only at times; use --all-inputs")
        return {f"{name}.input": parts for name, parts in self.captured.items()}


def cache_tensors(cache, dtype):
    """Keys and values as [tokens, kv_heads, head_dim]. Layers that slide keep their last tokens;
    layers without attention have none."""
    for index, layer in enumerate(cache.layers):
        for kind, values in [("key", "keys"), ("value", "values")]:
            values = getattr(layer, values, None)
            if values is not None:
                name = f"layers.{index}.{kind}"
                yield name, stored(values[0].transpose(0, 1), dtype, name)


def numbered(tensors):
    """Chunks under their names: numbered where there are several."""
    return {
        name if len(parts) == 1 else f"{name}.{index}": part
        for name, parts in tensors.items() for index, part in enumerate(parts)}


def stored_paths(model, directory):
    """Linear layers of the model by their paths in the checkpoint, which may lack its prefix.

    An output layer that is tied to the embedding has no weight of its own there, and is left out.
    """
    embedding = model.get_input_embeddings().weight
    weights = set()
    for file in Path(directory).glob("*.safetensors"):
        with safe_open(file, framework="pt") as source:
            weights.update(source.keys())
    for name, module in model.named_modules():
        if isinstance(module, (torch.nn.Linear, Conv1D)) and module.weight is not embedding:
            short = name.removeprefix(model.base_model_prefix + ".")
            is_short = f"{name}.weight" not in weights and f"{short}.weight" in weights
            yield short if is_short else name, module


def main():
    arguments = parse_arguments()
    dtype = DTYPES[arguments.dtype]
    model = AutoModelForCausalLM.from_pretrained(
        arguments.model, dtype=DTYPES[arguments.arithmetic]).eval()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    config = model.config.get_text_config()
    ids = tokenizer(arguments.text.read_text(), verbose=False)["input_ids"][:arguments.tokens]
    window = arguments.window or getattr(config, "max_position_embeddings", None) or len(ids)

    inputs = None
    if arguments.activations:
        layers = stored_paths(model, arguments.model)
        inputs = Inputs(layers, dtype, arguments.all_inputs)
    cache = defaultdict(list)
    with torch.no_grad():
        for start in range(0, len(ids), window):
            output = model(torch.tensor([ids[start:start + window]]), use_cache=True)
            if arguments.kv:
                for name, values in cache_tensors(output.past_key_values, dtype):
                    cache[name].append(values)

    path = Path(arguments.model)
    metadata = {
        "model": path.resolve().name if path.is_dir() else arguments.model, "tokens": str(len(ids))}
    if inputs:
        about = {"decant.dump": "activations", "shared_inputs": json.dumps(inputs.shared)}
        save_file(numbered(inputs.tensors()), arguments.activations, metadata | about)
    if arguments.kv:
        has_rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_theta", None)
        about = {"decant.dump": "kv", "rope": "after" if has_rope else "none"}
        save_file(numbered(cache), arguments.kv, metadata | about)


if __name__ == "__main__":
    main()
