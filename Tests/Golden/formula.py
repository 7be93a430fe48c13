"""Numbers by a formula that the tests repeat (Tests/GoldenSupport/Formula.swift), so that golden folders store outputs only."""

import math

import numpy as np
import torch

U64 = np.uint64


def uniform(name, count):
    """SplitMix64 seeded with the name's FNV-1a hash: float64 in [-1, 1), in steps of 2^-23."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = U64(seed) + np.arange(1, count + 1, dtype=U64) * U64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> U64(30))) * U64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> U64(27))) * U64(0x94D049BB133111EB)
        z = z ^ (z >> U64(31))
    return (z >> U64(40)).astype(np.float64) * 2.0**-23 - 1


def weight(name, shape):
    """Matrices and kernels uniform within sqrt(6 / inputs), scales and variances near 1, the rest near 0."""
    values = uniform(name, math.prod(shape))
    if len(shape) >= 2:
        values = values * math.sqrt(6 / math.prod(shape[1:]))
        if name.startswith("lin"):  # LPIPS' weights are not negative.
            values = np.abs(values)
    elif name.endswith(("weight", "running_var")):
        values = 1 + 0.2 * values
    else:
        values = 0.1 * values
    return torch.from_numpy(values.astype(np.float32).reshape(shape))
