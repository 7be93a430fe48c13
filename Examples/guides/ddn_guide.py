"""The protocol of external guides, for programs in Python with numpy; see Documentation/ExternalGuides.md.

A program defines a function of one level's candidates and serves it:

    import ddn_guide

    def score(images, batch, level):
        return -images.mean(axis=(2, 3, 4))

    ddn_guide.serve(score)
"""

import json
import os
import sys

import numpy as np


class Batch:
    """What the images of a batch are guided to.

    targets: [B, C, H, W] float32 in [-1, 1], or None; seeds: [B] integers.
    """

    def __init__(self, targets, seeds):
        self.targets, self.seeds = targets, seeds

    def require_targets(self):
        if self.targets is None:
            sys.exit("this guide compares with a target: give --image or --data")
        return self.targets


def serve(score):
    """Answers until standard input ends.

    score(images, batch, level): images are [B, n, C, h, w] float32 in [-1, 1], of some of the level's nodes; it returns
    [B, n] numbers, higher is better.
    """
    requests = sys.stdin.buffer
    # What the program prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    batch = None
    while line := requests.readline():
        header = json.loads(line)
        if header["kind"] == "batch":
            names = ["batch", "channels", "height", "width"]
            targets = _read(requests, [header[name] for name in names]) if header["targets"] else None
            batch = Batch(targets, header["seeds"])
            continue
        shape = [header[name] for name in ["batch", "nodes", "channels", "height", "width"]]
        scores = np.asarray(score(_read(requests, shape), batch, header["level"]), dtype="<f4")
        if list(scores.shape) != shape[:2]:
            sys.exit(f"scores have the shape {list(scores.shape)}, not {shape[:2]}")
        answers.write(b'{"scores":%d}\n' % scores.size + scores.tobytes())
        answers.flush()


def area(images, height, width):
    """Images [..., H, W] resized to [..., height, width]: averaged to a smaller size, repeated to a larger one."""

    def along(images, axis, size):
        old = images.shape[axis]
        starts, ends = np.arange(size) * old // size, -(-np.arange(1, size + 1) * old // size)
        sums = np.cumsum(images, axis, dtype="f8")
        sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis)
        shape = [1] * images.ndim
        shape[axis] = size
        means = (sums.take(ends, axis) - sums.take(starts, axis)) / (ends - starts).reshape(shape)
        return means.astype(images.dtype)

    return along(along(images, images.ndim - 2, height), images.ndim - 1, width)


def _read(stream, shape):
    count = 4 * int(np.prod(shape))
    data = stream.read(count)
    if len(data) < count:
        sys.exit(f"standard input ends after {len(data)} of {count} bytes")
    return np.frombuffer(data, "<f4").reshape(shape)
