"""Matches the colors of a target, wherever they are: each channel's histogram of 16 bins.

    ddn guide --network faces.safetensors --image face.png --outdir colors \\
      --guide "program:python3 Examples/guides/color_histogram.py"

The score is the negative distance between cumulative histograms (the earth mover's distance), the mean over channels.
"""

import ddn_guide
import numpy as np

BINS = 16


def cumulative(images):
    """[..., C, h, w] in [-1, 1] to [..., C, BINS], the share of pixels up to each bin."""
    bins = np.clip((images + 1) / 2 * BINS, 0, BINS - 1).astype(int)
    bins = bins.reshape(*bins.shape[:-2], -1)
    return np.stack([(bins <= bin).mean(axis=-1) for bin in range(BINS)], axis=-1)


def score(images, batch, level):
    target = ddn_guide.area(batch.require_targets(), *images.shape[-2:])
    difference = cumulative(images) - cumulative(target)[:, None]
    return -np.abs(difference).mean(axis=(2, 3))


ddn_guide.serve(score)
