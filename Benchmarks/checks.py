"""Compares the results of both programs, up to rounding."""

from __future__ import annotations

import torch
from torch import Tensor

# Choices may differ if their distances differ by less, relative to the smaller.
MARGIN = 1e-4
# For all other values, relative to the largest.
TOLERANCE = 1e-3
# CUDA convolutions use TF32 by default, on both sides.
CUDA_FACTOR = 10


class Difference(Exception):
    """The results of the two programs differ."""


def check_codes(ours: Tensor, theirs: Tensor, distances: list[Tensor]) -> Tensor:
    """Compares choices level by level.

    After a different choice at a near tie, an image's later levels are not comparable.

    Args:
        ours, theirs: [L, B] chosen nodes.
        distances: of the original, [B, K] per level.

    Returns:
        [L, B], whether all choices of an image up to and including a level are equal.
    """
    same = torch.ones_like(ours, dtype=torch.bool)
    comparable = same[0]
    for level, distance in enumerate(distances):
        best = distance.min(1).values
        chosen = distance.gather(1, ours[level][:, None])[:, 0]
        margin = MARGIN * (CUDA_FACTOR if ours.is_cuda else 1)
        wrong = comparable & (ours[level] != theirs[level]) & (chosen - best > margin * best)
        if wrong.any():
            image = int(wrong.nonzero()[0])
            raise Difference(
                f"level {level + 1}, image {image}: ddn chose node {int(ours[level, image])}, "
                f"the original {int(theirs[level, image])}, and it is not a near tie"
            )
        comparable = comparable & (ours[level] == theirs[level])
        same[level] = comparable
    if same[-1].sum() * 2 < same.shape[1]:
        raise Difference("more than half of the images have different codes after near ties")
    return same


def check_close(name: str, ours: Tensor, theirs: Tensor) -> None:
    """Compares shapes and values."""
    if ours.shape != theirs.shape:
        raise Difference(f"{name} has shape {list(ours.shape)}, the original {list(theirs.shape)}")
    tolerance = TOLERANCE * (CUDA_FACTOR if ours.is_cuda else 1)
    scale = float(theirs.abs().max())
    difference = float((ours - theirs).abs().max())
    if not difference <= tolerance * scale:  # Also true for NaN.
        raise Difference(f"{name} differs by {difference:.2e}, with values up to {scale:.2e}")
