"""Whether kernels for more than the baseline's instructions stay apart from everything else.

Usage: check_levels.py BUILD_FOLDER (of a release build, on x86-64)

A linker keeps one of several weak symbols of a name, and it may be the one that was compiled for AVX2: a
processor without it would then stop far from any kernel. So no weak function of those objects that is not
the module's own may use such instructions, and no other object may use any. They must be there in the
module itself, or it was built without its flags.
"""

import pathlib
import platform
import re
import subprocess
import sys

MODULE = "KernelsAVX2"
# Names of VEX-encoded instructions begin with v, but for those of BMI2; so do two of the baseline's.
VECTOR = re.compile(r"^\s+[0-9a-f]+:\s+(v[a-z0-9]+|pdep|pext|bzhi|mulx|shlx|shrx|sarx|rorx|andn)\b")
BASELINE = {"verr", "verw"}


def functions(path):
    """Names of functions and the first instruction of each that the baseline lacks, if any."""
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", str(path)], check=True, capture_output=True, text=True
    ).stdout
    name, found = None, {}
    for line in text.splitlines():
        if start := re.match(r"^[0-9a-f]+ <(.+)>:$", line):
            name = start[1]
            found.setdefault(name, None)
        elif (used := VECTOR.match(line)) and used[1] not in BASELINE and name is not None:
            found[name] = found[name] or line.strip()
    return found


def weak_symbols(path):
    text = subprocess.run(["nm", str(path)], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1] for line in text.splitlines() if re.search(r"\s[WwVv]\s", line)}


def main():
    if platform.machine() not in ("x86_64", "AMD64"):
        print("one level on this processor")
        return
    objects = sorted(pathlib.Path(sys.argv[1]).glob("*.build/*.o"))
    wide = [path for path in objects if path.parent.name == MODULE + ".build"]
    others = [path for path in objects if path not in wide and "Tests" not in path.parent.name]
    assert wide, f"no objects of {MODULE} in {sys.argv[1]}"
    assert others, f"no other objects in {sys.argv[1]}"
    count = 0
    for path in wide:
        found = functions(path)
        count += sum(line is not None for line in found.values())
        for name in weak_symbols(path):
            line = found.get(name)
            assert MODULE in name or line is None, f"{path}: weak {name} uses {line}"
    assert count > 0, f"{MODULE} uses none of its instructions: it was built without its flags"
    for path in others:
        for name, line in functions(path).items():
            assert line is None, f"{path}: {name} uses {line}"
    print(f"{count} functions of {MODULE} use its instructions, none of {len(others)} other objects does")


main()
