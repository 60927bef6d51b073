"""Holds the folders of Sources/Convert to one direction: each may use those above it in the list.

Reads declarations and names, not types: a name counts for the folder that declares it at the top
level of a file, unless the using file declares the same name itself.
"""
import os
import re
import sys

ROOT = "Sources/Convert"
# From what knows the least to what knows the most.
ORDER = [
    "Passes", "Weights", "Packed", "Arrange", "Quantize", "Fold", "Adapters", "Write", "Output", "BitPlan",
    "Conversion", "Measure", "Calibration", "Memory", "Planning", "Repack", "Validate", "Inspect",
]
WORDS = r"(?:package|public|private|fileprivate|final|indirect|nonisolated|@\w+)"
DECLARATION = re.compile(
    rf"^( *)(?:{WORDS} )*(?:struct|class|enum|protocol|actor|typealias) (\w+)", re.M)


def read(folder):
    files = {}
    for name in sorted(os.listdir(os.path.join(ROOT, folder))):
        with open(os.path.join(ROOT, folder, name), encoding="utf-8") as file:
            text = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', re.sub(r"//.*", "", file.read()))
        files[name] = text
    return files


def main():
    found = sorted(
        entry for entry in os.listdir(ROOT) if os.path.isdir(os.path.join(ROOT, entry)))
    if sorted(ORDER) != found:
        sys.exit(f"{ROOT} has the folders {found}; {sys.argv[0]} orders {sorted(ORDER)}")
    sources = {folder: read(folder) for folder in ORDER}
    owner = {}
    for folder, files in sources.items():
        for text in files.values():
            for match in DECLARATION.finditer(text):
                if not match[1] and not re.match("(?:private|fileprivate) ", match[0]):
                    owner[match[2]] = folder
    wrong = []
    uses = 0
    for folder, files in sources.items():
        for name, text in files.items():
            own = {match[2] for match in DECLARATION.finditer(text)}
            for word in sorted(set(re.findall(r"\b[A-Z]\w+", text)) - own):
                if word not in owner or owner[word] == folder:
                    continue
                uses += 1
                if ORDER.index(owner[word]) > ORDER.index(folder):
                    wrong.append(f"{folder}/{name} uses {word} of {owner[word]}")
    for line in wrong:
        print(line)
    print(f"{len(ORDER)} folders, {uses} uses across them, {len(wrong)} against the direction")
    sys.exit(1 if wrong else 0)


main()
