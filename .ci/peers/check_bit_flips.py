#!/usr/bin/env python3
"""Flips one bit of a packed file at a time; `decant validate` must notice each with status 1."""

import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from checkpoints import Checks, shards

FLIPS = 20


def main():
    decant, packed = sys.argv[1:]
    checks = Checks()
    generator = random.Random(20)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "packed"
        shutil.copytree(packed, copy)
        file = generator.choice(shards(copy))
        intact = file.read_bytes()
        data_start = 8 + int.from_bytes(intact[:8], "little")
        # Half of them in the header, of which one in its length; half in the data.
        places = [generator.randrange(8)]
        places += [generator.randrange(8, data_start) for _ in range(FLIPS // 2 - 1)]
        places += [generator.randrange(data_start, len(intact)) for _ in range(FLIPS // 2)]
        for place in places:
            bit = generator.randrange(8)
            damaged = bytearray(intact)
            damaged[place] ^= 1 << bit
            file.write_bytes(damaged)
            run = subprocess.run(
                [decant, "validate", copy], capture_output=True, text=True, timeout=60)
            where = "data" if place >= data_start else "header" if place >= 8 else "length"
            checks.require(
                run.returncode == 1,
                f"bit {bit} of byte {place} ({where}): status {run.returncode}, not 1\n"
                f"{run.stdout}{run.stderr}")
        file.write_bytes(intact)
        run = subprocess.run([decant, "validate", copy], capture_output=True, timeout=60)
        checks.require(run.returncode == 0, "the intact copy is not valid")
    checks.finish(f"{FLIPS} flipped bits")


if __name__ == "__main__":
    main()
