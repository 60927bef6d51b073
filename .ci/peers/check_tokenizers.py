"""Holds the ids that `decant tokens` gives against those of the library `tokenizers`: texts made at random
in many scripts, for every tokenizer of the fixtures.

Usage: check_tokenizers.py DECANT FIXTURES [--count N] [--seed N]

FIXTURES is the folder of tokenizers, each with its tokenizer.json and golden.json. N texts are dealt
out over all of them; half of each are encoded with special tokens, half without.
"""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile

from tokenizers import Tokenizer

# First and last characters of blocks, some of which are rare on purpose.
BLOCKS = [
    (0x20, 0x7E), (0x20, 0x7E), (0x61, 0x7A), (0x61, 0x7A), (0x41, 0x5A), (0x30, 0x39), (0x00, 0x1F),
    (0x80, 0xFF), (0x100, 0x24F), (0x250, 0x2FF), (0x300, 0x36F), (0x370, 0x3FF), (0x400, 0x52F),
    (0x531, 0x58F), (0x591, 0x5F4), (0x600, 0x6FF), (0x700, 0x7FF), (0x900, 0x97F), (0x980, 0x9FF),
    (0xB80, 0xBFF), (0xC80, 0xCFF), (0xE00, 0xE7F), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF),
    (0x1100, 0x11FF), (0x1200, 0x137F), (0x13A0, 0x13FF), (0x1780, 0x17FF), (0x1800, 0x18AF),
    (0x1D00, 0x1DFF), (0x1E00, 0x1FFF), (0x2000, 0x206F), (0x2070, 0x20CF), (0x20D0, 0x20FF),
    (0x2100, 0x218F), (0x2190, 0x22FF), (0x2460, 0x24FF), (0x2500, 0x27BF), (0x2E80, 0x2FDF),
    (0x3000, 0x30FF), (0x3040, 0x30FF), (0x3130, 0x33FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
    (0xA640, 0xA69F), (0xAC00, 0xD7FF), (0xE000, 0xE0FF), (0xF900, 0xFAFF), (0xFB00, 0xFB4F),
    (0xFE00, 0xFE6F), (0xFF00, 0xFFEF), (0xFFF0, 0xFFFF), (0x10000, 0x100FF), (0x10400, 0x104FF),
    (0x11000, 0x1107F), (0x1D100, 0x1D1FF), (0x1D400, 0x1D7FF), (0x1F1E6, 0x1F1FF), (0x1F300, 0x1FAFF),
    (0x20000, 0x2A6DF), (0xE0000, 0xE01EF), (0xF0000, 0xF00FF), (0x0, 0x10FFFF),
]
PIECES = [
    " ", " ", "  ", "    ", "\n", "\r\n", "\n\n", "\t", "\u00a0", "\u3000", "\u2581", "'s", "'ll", "'RE", "'\u017f",
    "1234567", "3.14", "http://a.b/c", "don't", "e\u0301", "\u212b", "\ufb01\u0301", "\U0001F469\u200d\U0001F4BB", "\u0f71\u0f72", "  \n ", "</s>", "<s",
]


def random_text(noise, known):
    """Some runs of characters of a block, whole pieces, and parts of texts that the fixtures have."""
    text = ""
    for _ in range(noise.randint(1, 9)):
        choice = noise.random()
        if choice < 0.45:
            first, last = noise.choice(BLOCKS)
            codes = [noise.randint(first, last) for _ in range(noise.randint(1, 7))]
            text += "".join(chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF)
        elif choice < 0.75:
            text += noise.choice(PIECES)
        else:
            part = noise.choice(known)
            start = noise.randrange(len(part) + 1)
            text += part[start:start + noise.randint(1, 24)]
    return text


def decant_ids(decant, model, texts, options):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
        file.flush()
        result = subprocess.run(
            [decant, "tokens", model, "--jsonl", file.name, *options],
            check=True, capture_output=True, text=True,
        )
    return [json.loads(line)["ids"] for line in result.stdout.splitlines()]


def check(decant, model, count, seed):
    noise = random.Random(f"{seed} {model.name}")
    library = Tokenizer.from_file(str(model / "tokenizer.json"))
    golden = json.loads((model / "golden.json").read_text(encoding="utf-8"))["cases"]
    added = [token.content for token in library.get_added_tokens_decoder().values()]
    known = [case["text"] for case in golden if case["text"]] + 20 * added
    compared = 0
    for special in (False, True):
        texts = [random_text(noise, known) for _ in range(count // 2)]
        options = [] if special else ["--no-special-tokens"]
        found = decant_ids(decant, model, texts, options)
        assert len(found) == len(texts), f"{model.name}: {len(found)} lines for {len(texts)} texts"
        for text, ids in zip(texts, found):
            expected = library.encode(text, add_special_tokens=special).ids
            assert ids == expected, f"{model.name}: {text!r}\n  decant  {ids}\n  library {expected}"
            compared += 1
    return compared


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("decant")
    parser.add_argument("fixtures", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    models = sorted(path.parent for path in arguments.fixtures.glob("*/tokenizer.json"))
    assert models, f"no tokenizers in {arguments.fixtures}"
    each = -(-arguments.count // (2 * len(models))) * 2
    compared = sum(check(arguments.decant, model, each, arguments.seed) for model in models)
    print(f"{compared} texts, {len(models)} tokenizers: the ids are the library's")


main()
