"""Writes the character tables of the tokenizer as Swift.

Usage: unicode_tables.py UNICODE_JSON > Sources/Model/Tokenizer/Unicode/UnicodeTables+Generated.swift

UNICODE_JSON lists, for each class, the ranges of characters that the library `tokenizers` counts in.
A table is a string of numbers, five bits to a character, the lowest first; 32 is added to all characters of
a number but the last, and 64 characters stand for the sums. General categories are runs over all
characters: how long, and which. A class is two numbers to a range: how many characters lie between it and
the one before, and how many it has. Compositions are three numbers each: how far it is from the one before,
and the two characters that it is composed of.

Compositions and combining classes never change once a character has them, so any version of Python's tables
has those of the characters that the library knows.
"""

import json
import sys
import unicodedata

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-"
# As `GeneralCategory` lists them; what is in none of them is unassigned.
CATEGORIES = (
    "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
)
CLASSES = {
    "arabic": "Arabic", "cyrillic": "Cyrillic", "devanagari": "Devanagari", "greek": "Greek",
    "han": "Han", "hangul": "Hangul", "hebrew": "Hebrew", "hiragana": "Hiragana",
    "katakana": "Katakana", "latin": "Latin", "thai": "Thai", "bertMark": "bert_mark",
    "bertPunctuation": "bert_punctuation", "bertRemoved": "bert_removed",
    "combiningMark": "combining_mark", "normalizationKnown": "norm_known",
}
LAST = 0x10FFFF
WIDTH = 92


def number(value):
    text = ""
    while value >= 32:
        text += DIGITS[value % 32 + 32]
        value //= 32
    return text + DIGITS[value]


def category_runs(classes):
    categories = [len(CATEGORIES)] * (LAST + 1)
    for index, name in enumerate(CATEGORIES):
        for first, last in classes.get(name, []):
            for character in range(first, last + 1):
                assert categories[character] == len(CATEGORIES), f"{character:x} is in two categories"
                categories[character] = index
    # The library has no names for these two categories of one character each.
    categories[0x2028], categories[0x2029] = CATEGORIES.index("Zl"), CATEGORIES.index("Zp")
    runs, start = [], 0
    for character in range(1, LAST + 2):
        if character > LAST or categories[character] != categories[start]:
            runs += [character - start, categories[start]]
            start = character
    return runs


def gaps(ranges):
    numbers, end = [], 0
    for first, last in ranges:
        numbers += [first - end, last + 1 - first]
        end = last + 1
    return numbers


def numbers_of(ranges):
    return [character for first, last in ranges for character in range(first, last + 1)]


def canonical_compositions(known):
    """Two characters, by the one that they are composed to; Hangul is left to arithmetic."""
    pairs = {}
    for character in known:
        parts = unicodedata.decomposition(chr(character)).split()
        stays = unicodedata.normalize("NFC", chr(character)) == chr(character)
        if len(parts) == 2 and not parts[0].startswith("<") and stays:
            pairs[character] = tuple(int(part, 16) for part in parts)
    return pairs


def composition_numbers(pairs):
    numbers, last = [], 0
    for character, pair in sorted(pairs.items()):
        numbers += [character - last, *pair]
        last = character
    return numbers


def sensitive_ranges(known, pairs):
    """Characters that NFC may change, or that may change what is before them."""
    ranges = []
    seconds = {second for _, second in pairs.values()}
    for character in known:
        if not (
            0x1161 <= character <= 0x11FF or character in seconds
            or unicodedata.combining(chr(character))
            or unicodedata.normalize("NFC", chr(character)) != chr(character)
        ):
            continue
        if ranges and ranges[-1][1] == character - 1:
            ranges[-1][1] = character
        else:
            ranges.append([character, character])
    return ranges


def declaration(name, numbers):
    text = "".join(map(number, numbers))
    lines = [text[i:i + WIDTH] for i in range(0, len(text), WIDTH)]
    body = " \\\n".join("    " + line for line in lines).replace(" \\", "\\")
    return f'  static let {name} = """\n{body}\n    """\n'


def main(path):
    with open(path, encoding="utf-8") as file:
        classes = json.load(file)["classes"]
    print("// Written by .ci/unicode_tables.py, which explains it. Do not edit.\n")
    print("/// Classes of characters as the library `tokenizers` 0.23.3 counts them.")
    print("enum UnicodeTables {")
    parts = [declaration("generalCategory", category_runs(classes))]
    parts += [declaration(name, gaps(classes[key])) for name, key in CLASSES.items()]
    known = numbers_of(classes["norm_known"])
    pairs = canonical_compositions(known)
    parts.append(declaration("composition", composition_numbers(pairs)))
    parts.append(declaration("compositionSensitive", gaps(sensitive_ranges(known, pairs))))
    print("\n".join(parts) + "}")


main(*sys.argv[1:])
