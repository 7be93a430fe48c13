"""The original's two-dimensional example: points as nodes, with sddn's counters and split rule."""

from __future__ import annotations

import numpy as np
import torch
from sddn.discrete_distribution import SplitableDiscreteDistribution

from case import Case
from checks import check_close

# Step size: the learning rate, doubled by the gradient of the square.
STRIDE = 2 * 0.2


class Fit:
    """K nodes fitted to samples in batches."""

    def __init__(self, nodes: np.ndarray) -> None:
        """Args: nodes: [K, 2] in [-1, 1]."""
        self.nodes = nodes.copy()
        self.reset_statistics()

    def reset_statistics(self) -> None:
        self.statistics = SplitableDiscreteDistribution(len(self.nodes))

    def step(self, samples: np.ndarray, splits: bool) -> None:
        """Trains on a batch, [B, 2], then splits at most one node."""
        distances = np.abs(samples[:, None] - self.nodes[None]).sum(-1)  # [B, K]
        if splits:
            nearest = self.statistics.add_loss_matrix(distances)["i_nears"]
        else:
            nearest = distances.argmin(1)
        for sample, node in zip(samples, nearest):
            self.nodes[node] += STRIDE * (sample - self.nodes[node])
        if splits and (split := self.statistics.try_split()):
            self.nodes[split["i_disapear"]] = self.nodes[split["i_split"]]


class Density:
    """Probabilities of bins of [-1, 1] x [-1, 1], row-major from the top."""

    def __init__(self, probabilities: np.ndarray) -> None:
        self.probabilities = probabilities.astype(np.float64)
        self.probabilities /= self.probabilities.sum()
        self.cumulative = np.cumsum(self.probabilities)

    def draw(self, count: int, random: np.random.RandomState) -> np.ndarray:
        """[count, 2]"""
        height, width = self.probabilities.shape
        bins = np.searchsorted(self.cumulative, random.rand(count) * self.cumulative[-1])
        rows, columns = np.unravel_index(bins.clip(0, height * width - 1), (height, width))
        x = -1 + (columns + random.rand(count)) * 2 / width
        y = 1 - (rows + random.rand(count)) * 2 / height
        return np.stack([x, y], 1)

    def kl(self, points: np.ndarray) -> float:
        """Kullback-Leibler divergence of points from the density, in nats."""
        height, width = self.probabilities.shape
        columns = np.round((points[:, 0] + 1) / 2 * width - 0.5).astype(int).clip(0, width - 1)
        rows = np.round((1 - points[:, 1]) / 2 * height - 0.5).astype(int).clip(0, height - 1)
        counts = np.bincount(rows * width + columns, minlength=height * width)
        shares = counts / counts.sum()
        some = shares > 0
        return float((shares[some] * np.log(shares[some] / self.probabilities.ravel()[some])).sum())


class DensityJob:
    """Fits new nodes to a density."""

    def __init__(self, case: Case, work: dict) -> None:
        self.case, self.batch, self.samples = case, work["batch"], work["originalSamples"]
        self.start = case.input["nodes"].cpu().numpy().astype(np.float64)
        self.density = Density(case.input["probabilities"].cpu().numpy())

    def check(self) -> None:
        """Compares nodes trained without splits on the same samples."""
        fit = Fit(self.start)
        samples = self.case.input["samples"].cpu().numpy().astype(np.float64)
        for place in range(0, len(samples), self.batch):
            fit.step(samples[place : place + self.batch], splits=False)
        check_close("nodes", self.case.expected["nodes"].cpu(), torch.from_numpy(fit.nodes).float())

    def run(self) -> None:
        fit = Fit(self.start)
        random = np.random.RandomState(0)
        for _ in range(0, self.samples, self.batch):
            fit.step(self.density.draw(self.batch, random), splits=True)
