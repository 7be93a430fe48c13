"""Frequencies of a prior by Python's integers, for PriorGoldenTests: python3 generate.py > frequencies.json

The weights follow a formula, so that no file holds them. Needs nothing but Python.
"""

import json
from fractions import Fraction

NODES, CLASSES, WIDTH, HIDDEN, CODES = [3, 64, 5, 5], 3, 700, 500, 5


def numbers(tensor, count, bound):
    """Pseudo-random integers within +-bound."""
    state, values = 12345 + tensor, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append((state >> 33) % (2 * bound + 1) - bound)
    return values


def rows(values, width):
    return [values[start : start + width] for start in range(0, len(values), width)]


TOTAL = sum(NODES)
INITIAL = rows(numbers(0, CLASSES * WIDTH, 127), WIDTH)
EMBEDDINGS = rows(numbers(1, TOTAL * WIDTH, 60), WIDTH)
HIDDEN_WEIGHT = rows(numbers(2, HIDDEN * WIDTH, 15), WIDTH)
HIDDEN_BIAS = rows(numbers(3, len(NODES) * HIDDEN, 5000), HIDDEN)
HEADS_WEIGHT = rows(numbers(4, TOTAL * HIDDEN, 40), HIDDEN)
HEADS_BIAS = numbers(5, TOTAL, 9000)


def halved_to_even(value, divisor):
    return round(Fraction(value, divisor))


def clipped(value):
    return min(max(value, 0), 127)


def product(matrix_row, vector):
    return sum(a * b for a, b in zip(matrix_row, vector))


def frequency(step, bits):
    """2^(bits - step / 32), rounded down from 2^31 / 2^(step % 32 / 32) rounded down."""
    fraction, low, high = step % 32, 2**30, 2**31
    while low < high:  # the largest m with m^32 <= 2^(31 * 32 - fraction)
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**32 <= 2 ** (31 * 32 - fraction) else (low, middle - 1)
    return max(1, low >> (31 - bits + step // 32))


def choices_of(code):
    return [(code * 31 + position * 17 + code * position) % nodes for position, nodes in enumerate(NODES)]


def frequencies_of(code):
    sums, first, result = list(INITIAL[code % CLASSES]), 0, []
    for position, nodes in enumerate(NODES):
        inputs = [clipped(value) for value in sums]
        hidden = [
            clipped(halved_to_even(product(row, inputs) + bias, 64))
            for row, bias in zip(HIDDEN_WEIGHT, HIDDEN_BIAS[position])
        ]
        logits = [product(HEADS_WEIGHT[row], hidden) + HEADS_BIAS[row] for row in range(first, first + nodes)]
        bits = min(24, 31 - (nodes - 1).bit_length())
        steps = [min((max(logits) - logit + 128) // 256, bits * 32) for logit in logits]
        result.append([frequency(step, bits) for step in steps])
        chosen = EMBEDDINGS[first + choices_of(code)[position]]
        sums = [a + b for a, b in zip(sums, chosen)]
        first += nodes
    return result


print(json.dumps([frequencies_of(code) for code in range(CODES)]))
