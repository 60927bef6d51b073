#!/usr/bin/env python3
"""GPTQ as it is published, in NumPy: the codes that decant's tests are held to.

usage: gptq_reference.py OUT

Algorithm 1 of arXiv 2210.17323 without its blocks, which only spare memory traffic: the inverse of the damped
Gram matrix is made, then the upper Cholesky factor of the inverse; columns are rounded one after the other, and
what each loses is taken from those that follow. Groups are static: scales and biases come from the weights
before anything is rounded, and stay those of a column's place in the matrix when columns are reordered.
A channel without inputs keeps its weights, which the authors' program makes 0. All in float64.

Writes OUT, a safetensors file: `order64`, `order128` each with `.weights` F32 [rows, inputs] and `.gram` F32, the
lower triangle by rows; for each case, named by inputs, bits, group size and type of the parameters, `.scales` and
`.biases` F32 [rows, groups] and U8 codes [rows, inputs], `.natural` in the order of the columns and `.act` by
falling diagonal. No value that was rounded lies within a thousandth of a step of a tie, so that arithmetic in F32
gives the same codes.
"""

import sys

import numpy as np
from ml_dtypes import bfloat16
from safetensors.numpy import save_file

DAMPING = 0.01
ROWS = 5
CANDIDATES = 2000
TIE = 1e-3
TYPES = {"f32": np.float32, "f16": np.float16, "bf16": bfloat16}
# Inputs, bits, group size, type of scales and biases.
CASES = [
    (64, 2, 32, "f32"), (64, 3, 32, "f16"), (64, 4, 32, "f32"), (64, 8, 32, "f32"),
    (64, 2, 64, "bf16"), (64, 4, 64, "f16"), (64, 5, 64, "f32"), (64, 6, 64, "f32"),
    (128, 3, 128, "f32"), (128, 4, 64, "bf16"),
]


def gram_of(inputs, noise):
    """Second moments of inputs that go together; a few channels are large, and one is always 0."""
    shares = noise.normal(size=(3 * inputs, 6)) @ noise.normal(size=(6, inputs))
    values = shares + 0.3 * noise.normal(size=shares.shape)
    values[:, 7::29] *= 12
    values[:, 3] = 0
    return (values.T @ values / len(values)).astype(np.float32)


def parameters_of(weights, bits, group_size, kind):
    """Scales and biases that leave a little of each group outside, so that codes are cut off at both ends."""
    groups = weights.reshape(len(weights), -1, group_size)
    low, high = 0.9 * groups.min(-1), 0.9 * groups.max(-1)
    scales = ((high - low) / (2**bits - 1)).astype(TYPES[kind])
    return scales.astype(np.float32), low.astype(TYPES[kind]).astype(np.float32)


def gptq(weights, gram, scales, biases, bits, kind, order):
    """Codes [rows, inputs], and for each row how near to a tie it came, in steps."""
    rows, inputs = weights.shape
    group_size, largest = inputs // scales.shape[1], 2**bits - 1
    damped = gram.astype(np.float64)
    damped[np.diag_indices(inputs)] += DAMPING * np.diag(damped).mean()
    inverse = np.linalg.inv(damped[np.ix_(order, order)])
    factor = np.linalg.cholesky(inverse).T
    left = weights.astype(np.float64)[:, order]
    codes, nearest = np.zeros((rows, inputs), np.uint8), np.full(rows, np.inf)
    for place, column in enumerate(order):
        scale, bias = scales[:, column // group_size], biases[:, column // group_size]
        position = (left[:, place] - bias.astype(np.float64)) / scale.astype(np.float64)
        code = np.clip(np.rint(position), 0, largest)
        is_inside = (position > -TIE) & (position < largest + TIE)
        from_tie = np.abs(position - np.floor(position) - 0.5)
        nearest = np.where(is_inside, np.minimum(nearest, from_tie), nearest)
        # What MLX decodes a code to: product and sum are rounded to the type of the parameters.
        number = TYPES[kind]
        decoded = (code.astype(number) * scale.astype(number) + bias.astype(number)).astype(np.float64)
        error = (left[:, place] - decoded) / factor[place, place]
        left[:, place:] -= np.outer(error, factor[place, place:])
        codes[:, column] = code
    return codes, nearest


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    noise = np.random.default_rng(2210)
    tensors = {}
    for inputs in sorted({case[0] for case in CASES}):
        gram = gram_of(inputs, noise)
        orders = {"natural": np.arange(inputs), "act": np.argsort(-np.diag(gram), kind="stable")}
        weights = (0.05 * noise.normal(size=(CANDIDATES, inputs))).astype(np.float32)
        is_clear, results = np.full(CANDIDATES, True), {}
        for case in (case for case in CASES if case[0] == inputs):
            _, bits, group_size, kind = case
            name = f"order{inputs}.bits{bits}.group{group_size}.{kind}"
            scales, biases = parameters_of(weights, bits, group_size, kind)
            results |= {f"{name}.scales": scales, f"{name}.biases": biases}
            for order, columns in orders.items():
                codes, nearest = gptq(weights, gram, scales, biases, bits, kind, columns)
                results[f"{name}.{order}"] = codes
                is_clear &= nearest > TIE
        chosen = np.flatnonzero(is_clear)[:ROWS]
        if len(chosen) < ROWS:
            sys.exit(f"only {len(chosen)} rows of {inputs} inputs come near no tie")
        tensors[f"order{inputs}.gram"] = gram[np.tril_indices(inputs)]
        results[f"order{inputs}.weights"] = weights
        tensors |= {name: np.ascontiguousarray(values[chosen]) for name, values in results.items()}
    save_file(tensors, sys.argv[1])


if __name__ == "__main__":
    main()
