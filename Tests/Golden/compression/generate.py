"""Writes `compression.json`: `python3 generate.py` with numpy 2.4 and scipy 1.17.

Reverse water-filling by bisection, Lloyd-Max quantizers by scipy's integrals and fixed point, and the principal
components of numbers that the tests draw by the same formula.
"""

import json
import pathlib

import numpy as np
from scipy.stats import norm


def water(variances, bits):
    """The level by bisection, and the rates."""
    low, high = 0.0, max(variances)
    for _ in range(200):
        middle = (low + high) / 2
        rate = sum(max(0.0, 0.5 * np.log2(v / middle)) for v in variances if v > 0)
        low, high = (middle, high) if rate > bits else (low, middle)
    return high, [max(0.0, 0.5 * np.log2(v / high)) if v > 0 else 0.0 for v in variances]


def lloyd_max(bits):
    """Levels and mean squared error for a standard normal."""
    levels = norm.ppf((np.arange(2**bits) + 0.5) / 2**bits)
    for _ in range(20000):
        ends = np.concatenate([[-np.inf], (levels[1:] + levels[:-1]) / 2, [np.inf]])
        share = norm.cdf(ends[1:]) - norm.cdf(ends[:-1])
        means = (norm.pdf(ends[:-1]) - norm.pdf(ends[1:])) / share
        if np.abs(means - levels).max() < 1e-13:
            break
        levels = means
    return levels, 1 - float((share * means**2).sum())


def images(count, values):
    """Correlated numbers in [-1, 1] from a linear congruential generator that Swift repeats."""
    state, numbers = 12345, []
    for _ in range(count * values):
        state = (state * 1103515245 + 12345) % 2**31
        numbers.append(state / 2**31 - 0.5)
    noise = np.array(numbers).reshape(count, values)
    for column in range(1, values):
        noise[:, column] = 0.8 * noise[:, column - 1] + 0.6 * noise[:, column]
    return noise


data = images(400, 16).astype(np.float32).astype(np.float64)
mean = data.mean(0)
values, vectors = np.linalg.eigh(np.cov(data.T, bias=True))
values, vectors = values[::-1], vectors[:, ::-1]
projected = (data - mean) @ vectors[:, :3]

filling = [
    {"variances": variances, "bits": bits, "level": water(variances, bits)[0], "rates": water(variances, bits)[1]}
    for variances, bits in [
        ([4.0, 1.0, 0.25, 0.0], 3.0),
        ([1.0, 1.0, 1.0], 6.0),
        ([9.0, 0.01, 2.0, 0.5, 0.5], 0.7),
        (values.tolist(), 12.0),
    ]
]
gaussian = [{"bits": b, "levels": lloyd_max(b)[0].tolist(), "error": lloyd_max(b)[1]} for b in range(0, 6)]
result = {
    "waterFilling": filling,
    "gaussian": gaussian,
    "pca": {
        "variances": values.tolist(),
        "errorOfThreeComponents": float(((data - mean - projected @ vectors[:, :3].T) ** 2).mean()),
    },
}
path = pathlib.Path(__file__).with_name("compression.json")
path.write_text(json.dumps(result, indent=1) + "\n")
