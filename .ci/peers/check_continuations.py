#!/usr/bin/env python3
"""Holds how decant continues texts, and how likely it finds options, against mlx-lm.

usage: check_continuations.py DECANT PACKED --text TEXT

Both read the same packed directory; mlx-lm dequantizes the weights and computes in F32, as decant does. Texts are
continued greedily. The likelihood of an option is that of lm-evaluation-harness (`TemplateLM._encode_pair`,
`HFLM._loglikelihood_tokens`): context and option are encoded together, white space at the end of the context goes to
the option, and what follows the context's own tokens is scored.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_lm.utils import dequantize_model, load_model
from tokenizers import Tokenizer

from checkpoints import Checks

PROMPTS = 4
COUNT = 16
QUESTIONS = 24
# Between two computations in F32, of sums over an option's tokens.
TOLERANCE = 2e-4
# Logits nearer to each other than this may change places.
TIE = 1e-4


def logits_of(model, ids):
    return np.array(model(mx.array(ids)[None]).astype(mx.float32)[0]).astype(np.float64)


def check_continuation(checks, decant, path, model, tokenizer, ends, prompt):
    found = subprocess.run(
        [decant, "generate", path, "--prompt", prompt, "-n", str(COUNT), "--tokens-only"],
        check=True, capture_output=True, text=True)
    made = [int(word) for word in found.stdout.split()]
    ids = tokenizer.encode(prompt, add_special_tokens=False).ids
    for place in range(COUNT):
        logits = logits_of(model, ids)[-1]
        best = int(logits.argmax())
        if best in ends:
            break
        own = made[place] if place < len(made) else None
        near = own is not None and logits[best] - logits[own] < TIE
        checks.require(near, f"{prompt[-20:]!r}: token {place} is {own}, mlx-lm's {best}")
        if not near:
            return
        ids.append(own)
    else:
        place = COUNT
    checks.require(
        len(made) == place, f"{prompt[-20:]!r}: {len(made)} tokens, mlx-lm makes {place}")


def encode_pair(tokenizer, context, option):
    kept = context.rstrip()
    option = context[len(kept):] + option
    whole, start = (
        tokenizer.encode(text, add_special_tokens=False).ids for text in (kept + option, kept))
    return start, whole[len(start):]


def log_likelihood(model, start, targets, longest):
    ids = (start + targets)[-(longest + 1):][:-1]
    logits = logits_of(model, ids)[-len(targets):]
    rows = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return float(rows[np.arange(len(targets)), targets].sum())


def questions_of(text):
    """Contexts from the text, each with its own continuation among those of others."""
    lines = text.split("\n")
    starts = range(8, len(lines) - 8, max(1, (len(lines) - 16) // QUESTIONS))
    contexts = [("\n".join(lines[i - 4:i]) + "\n", lines[i].rstrip() or "\n") for i in starts]
    questions = []
    for number, (context, _) in enumerate(contexts[:QUESTIONS]):
        # Every third with white space before the options, which counts as theirs.
        context = context + "    " if number % 3 == 0 else context
        options = [contexts[(number + i) % len(contexts)][1] for i in range(3)]
        answer = number % 3
        options[0], options[answer] = options[answer], options[0]
        questions.append({"context": context, "options": options, "answer": answer})
    return questions


def check_choices(checks, decant, path, model, tokenizer, longest, questions):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("\n".join(map(json.dumps, questions)))
        file.flush()
        process = subprocess.run(
            [decant, "eval", path, "--choices", file.name, "--json", "-q"],
            check=True, capture_output=True, text=True)
    found = json.loads(process.stdout)
    right = right_by_length = 0
    worst = 0.0
    for question, own in zip(questions, found["log_likelihoods"], strict=True):
        expected = [
            log_likelihood(model, *encode_pair(tokenizer, question["context"], option), longest)
            for option in question["options"]]
        lengths = np.array([len(option) for option in question["options"]])
        worst = max(worst, max(abs(a - b) for a, b in zip(own, expected, strict=True)))
        right += int(np.argmax(expected)) == question["answer"]
        right_by_length += int(np.argmax(expected / lengths)) == question["answer"]
    checks.require(worst < TOLERANCE, f"a log-likelihood is off by {worst:.2g}")
    for name, count in [("accuracy", right), ("accuracy_norm", right_by_length)]:
        share = count / len(questions)
        checks.require(
            abs(found[name] - share) < 1e-9, f"{name} is {found[name]}, by mlx-lm {share}")
    print(f"  {len(questions)} questions: accuracy {found['accuracy']:.3f}, largest difference"
          f" of a log-likelihood {worst:.2g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decant", type=Path)
    parser.add_argument("packed", type=Path)
    parser.add_argument("--text", type=Path, required=True)
    arguments = parser.parse_args()
    checks = Checks()
    path = arguments.packed
    model, config = load_model(path)
    model = dequantize_model(model)
    model.set_dtype(mx.float32)
    tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
    ends = config.get("eos_token_id")
    ends = set(ends if isinstance(ends, list) else [ends])
    text = arguments.text.read_text()
    for number in range(PROMPTS):
        start = (2 * number + 1) * len(text) // (2 * PROMPTS + 1)
        check_continuation(
            checks, arguments.decant, path, model, tokenizer, ends,
            text[start:start + 40 * (number + 1)])
    check_choices(
        checks, arguments.decant, path, model, tokenizer, config["max_position_embeddings"],
        questions_of(text))
    checks.finish(f"{PROMPTS} continuations and {QUESTIONS} questions")


main()
