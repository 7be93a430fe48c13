"""Compares the KL divergences of `ddn toy` and of the original's example, by seed.

Both train on the same sequence of maps with the same number of samples. The original takes minutes per seed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from densities import Density, Fit

HERE = Path(__file__).resolve().parent


def ours(options: argparse.Namespace, seed: int) -> list[dict]:
    """The densities in the report of `ddn toy`."""
    with tempfile.TemporaryDirectory(prefix="ddn-toy-") as folder:
        report = Path(folder) / "report.json"
        command = [options.ddn, "toy", "--distance", "l1", "--frames", "0", "--outdir", folder, "--json", str(report)]
        command += ["--nodes", str(options.nodes), "--samples", str(options.samples), "--seed", str(seed)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(report.read_text())["densities"]


def theirs(maps: list[Density], options: argparse.Namespace, seed: int) -> tuple[list[float], float]:
    """KL of each map, and samples per second."""
    random = np.random.RandomState(seed)
    fit = Fit(random.uniform(-1, 1, (options.nodes, 2)))
    start = time.perf_counter()
    kl = []
    for density in maps:
        fit.reset_statistics()
        for _ in range(0, options.samples, 40):
            fit.step(density.draw(40, random), splits=True)
        kl.append(density.kl(fit.nodes))
        if sys.stderr.isatty():
            print(f"\r\033[Kseed {seed}: {len(kl)} of {len(maps)} densities", end="", file=sys.stderr, flush=True)
    return kl, len(maps) * options.samples / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ddn", default=str(HERE.parent / ".build/release/ddn"), help="path of ddn")
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=72_000, help="per density (default: 72000)")
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds, from 0 (default: 5)")
    options = parser.parse_args()

    line = "{:<18} {:>9} {:>9} {:>9} {:>9} {:>9}"
    found: dict[str, list[list[float]]] = {}
    speeds = []
    for seed in range(options.seeds):
        densities = ours(options, seed)
        bins = round(len(densities[0]["probabilities"]) ** 0.5)
        maps = [Density(np.array(entry["probabilities"]).reshape(bins, bins)) for entry in densities]
        kl, speed = theirs(maps, options, seed)
        speeds.append((statistics.mean(entry["samples_per_second"] for entry in densities), speed))
        for index, (entry, original) in enumerate(zip(densities, kl)):
            values = [entry["kl"], original, entry["kl_real"], entry["kl_without"]]
            found.setdefault(f"{index + 1} {entry['density']}", []).append(values)
        means = [statistics.mean(rows[-1][column] for rows in found.values()) for column in range(4)]
        print(f"\nseed {seed}: mean KL ours {means[0]:.3f}, theirs {means[1]:.3f}, real {means[2]:.3f}", flush=True)

    print(line.format("mean over seeds", "ours", "theirs", "real", "without", "below real"))
    for name, rows in found.items():
        means = [statistics.mean(row[column] for row in rows) for column in range(4)]
        below = sum(row[0] < row[2] for row in rows)
        print(line.format(name, *(f"{mean:.3f}" for mean in means), f"{below}/{len(rows)}"))
    all_rows = [row for rows in found.values() for row in rows]
    means = [statistics.mean(row[column] for row in all_rows) for column in range(4)]
    print(line.format("mean", *(f"{mean:.3f}" for mean in means), ""))
    mean_speeds = [statistics.mean(pair[side] for pair in speeds) for side in (0, 1)]
    print(f"samples per second: ours {mean_speeds[0]:.0f}, theirs {mean_speeds[1]:.0f}")


if __name__ == "__main__":
    main()
