"""Times what reads headers only, on headers like DeepSeek-V3's, against Python's own reading of them,
and holds memory to the size of what is read.

A step that goes through all names for every name takes a thousand times as long, so the limit
is far above what is measured and far below that.

Usage: check_headers.py DECANT BENCHMARKS
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

LARGEST_RATIO = 40
MEGABYTE = 1 << 20


def read_headers(folder):
    """Every header of the folder as JSON, as a reader that does nothing else would."""
    tensors = 0
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            tensors += len(json.loads(file.read(length)))
    return tensors


def best_seconds(body, rounds=3):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return min(times)


# A process of its own: a child counts the memory of the process that it was split off from.
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def run(*arguments):
    """Exit code and peak memory in bytes of a run whose output nobody reads."""
    result = subprocess.run(
        [sys.executable, "-c", MEASURE, *(str(a) for a in arguments)],
        capture_output=True, check=True, text=True,
    )
    code, peak = result.stdout.split()
    return int(code), int(peak) * (1 if sys.platform == "darwin" else 1024)


def check_time(decant, folder):
    reading = best_seconds(lambda: read_headers(folder))
    print(f"{folder.name}: {read_headers(folder)} tensors, headers read in {reading:.2f} s")
    for command, expected in [("inspect", 0), ("validate", 1)]:

        def measure():
            code = subprocess.run([decant, command, folder], capture_output=True).returncode
            assert code == expected, f"{command} exits with {code}"

        seconds = best_seconds(measure)
        print(f"  {command}: {seconds:.2f} s, {seconds / reading:.1f} times that")
        assert seconds < LARGEST_RATIO * reading, f"{command} is slow"


def check_memory(name, input_size, *arguments, expected):
    code, peak = run(*arguments)
    assert code == expected, f"{name}: exits with {code}"
    limit = 4 * input_size + 32 * MEGABYTE
    print(f"{name}: {peak / MEGABYTE:.0f} MB for an input of {input_size / MEGABYTE:.0f} MB")
    assert peak < limit, f"{name} takes more than {limit / MEGABYTE:.0f} MB"


def write_file(path, header, data_size):
    text = header.encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(data_size))


def many_dimensions(path, count=5_000_000):
    """A tensor of one element in as many dimensions as a header of 10 MB holds."""
    shape = ",".join(["1"] * count)
    write_file(path, '{"a":{"dtype":"U8","shape":[%s],"data_offsets":[0,1]}}' % shape, 1)


def long_plan(path, count=150_000):
    """A plan of another model, whose records are as long as those that decant writes."""
    lost = [
        {"bits": bits, "group_size": group, "bytes": 1 << 20, "relative_error": 0.0123456789}
        for bits in (3, 4, 5, 6)
        for group in (32, 64, 128)
    ]
    record = {
        "shape": [2048, 7168], "role": "expert_up", "layer": 3, "keep": False, "bits": 4,
        "group_size": 64, "bytes": 1 << 20, "relative_error": 0.0123456789,
        "sampling_error": 0.000123, "weight": 0.5, "alternatives": lost,
        "reason": "5 bits in 64s would take 1835008 bytes more and save 0.2 % of the error",
    }
    plan = {
        "format_version": 1, "decant_version": "0", "request": {}, "method": "search",
        "scale_dtype": "auto", "sources": [], "dumps": [],
        "totals": {
            "bits_per_weight": 4.5, "tensor_bytes": 1, "predicted_error": 0.01,
            "optimality_gap": 0,
        },
        "tensors": [
            {"name": f"model.layers.{i // 768}.mlp.experts.{i % 768}.up_proj.weight"} | record
            for i in range(count)
        ],
    }
    path.write_text(json.dumps(plan))


def main(decant, benchmarks):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        subprocess.run([benchmarks, "headers", scratch], check=True)
        for name in ["shards", "single"]:
            check_time(decant, scratch / name)

        wide = scratch / "wide.safetensors"
        many_dimensions(wide)
        check_memory(
            "millions of dimensions", wide.stat().st_size, decant, "inspect", wide, expected=1
        )
        small = scratch / "small.safetensors"
        write_file(
            small,
            '{"model.layers.0.mlp.up_proj.weight":'
            '{"dtype":"BF16","shape":[64,64],"data_offsets":[0,8192]}}',
            8192,
        )
        plan = scratch / "plan.json"
        long_plan(plan)
        check_memory(
            "150,000 records of a plan", plan.stat().st_size, decant, "convert", small, "--plan",
            plan, "-o", scratch / "out", "--dry-run", expected=1,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
