#!/usr/bin/env python3
"""Times one product of F32 matrices with NumPy's OpenBLAS on one thread, for the program in Benchmarks.

usage: product_speed.py TOKENS,ROWS,K [--core NAME]

Prints the least seconds of seven. NAME is what OpenBLAS calls a kind of processor: it then uses no newer
instructions.
"""

import argparse
import os
import time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("shape")
parser.add_argument("--core")
arguments = parser.parse_args()
os.environ["OPENBLAS_NUM_THREADS"] = "1"
if arguments.core:
    os.environ["OPENBLAS_CORETYPE"] = arguments.core

import numpy as np  # noqa: E402: reads these variables when it is loaded

tokens, rows, k = map(int, arguments.shape.split(","))
random = np.random.default_rng(1)
inputs = random.standard_normal((tokens, k), dtype=np.float32)
weights = random.standard_normal((rows, k), dtype=np.float32)
times = []
for _ in range(7):
    start = time.perf_counter()
    inputs @ weights.T
    times.append(time.perf_counter() - start)
print(min(times))
