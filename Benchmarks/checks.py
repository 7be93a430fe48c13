"""Whether two programs did the same, up to rounding."""

from __future__ import annotations

import torch
from torch import Tensor

# Two choices may differ where their distances are this close, relative to the smaller.
MARGIN = 1e-4
# Everything else may differ by this, relative to the largest number.
TOLERANCE = 1e-3
# Convolutions on CUDA round their inputs to ten bits unless told otherwise, on both sides.
CUDA_FACTOR = 10


class Difference(Exception):
    """The two programs did not do the same."""


def check_codes(ours: Tensor, theirs: Tensor, distances: list[Tensor]) -> Tensor:
    """Compares choices level by level.

    After a near tie was decided otherwise an image goes another way and is left out.

    Args:
        ours, theirs: [L, B] chosen nodes.
        distances: for each level [B, K], of theirs.

    Returns:
        [L, B], whether an image went the same way up to and including a level.
    """
    same = torch.ones_like(ours, dtype=torch.bool)
    going = same[0]
    for level, distance in enumerate(distances):
        best = distance.min(1).values
        chosen = distance.gather(1, ours[level][:, None])[:, 0]
        margin = MARGIN * (CUDA_FACTOR if ours.is_cuda else 1)
        wrong = going & (ours[level] != theirs[level]) & (chosen - best > margin * best)
        if wrong.any():
            image = int(wrong.nonzero()[0])
            raise Difference(
                f"level {level + 1}, image {image}: ours chose node {int(ours[level, image])}, "
                f"theirs {int(theirs[level, image])}, and their distances are not close"
            )
        going = going & (ours[level] == theirs[level])
        same[level] = going
    if same[-1].sum() * 2 < same.shape[1]:
        raise Difference("more than half of the images went another way at near ties")
    return same


def check_close(name: str, ours: Tensor, theirs: Tensor) -> None:
    """Compares numbers of one shape."""
    if ours.shape != theirs.shape:
        raise Difference(f"{name} is {list(ours.shape)}, theirs {list(theirs.shape)}")
    tolerance = TOLERANCE * (CUDA_FACTOR if ours.is_cuda else 1)
    scale = float(theirs.abs().max())
    difference = float((ours - theirs).abs().max())
    # Not "difference > ...": a difference that is not a number is one.
    if not difference <= tolerance * scale:
        raise Difference(f"{name} differs by {difference:.2e}, and its largest number is {scale:.2e}")
