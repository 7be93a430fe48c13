"""Benchmarks this program against the original, row by row, alternating.

Each row runs in fresh processes, so that peak memory is per row. The two processes alternate while the row is measured,
so that load on the machine affects both. A ratio above 1 means that ddn is faster.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

# Consecutive runs fill this many seconds per turn: a single short run would measure cold caches.
TURN_SECONDS = 0.3
# Measuring a row takes this many seconds, with MIN_ROUNDS to MAX_ROUNDS rounds.
ROW_SECONDS = 20
MIN_ROUNDS = 3
MAX_ROUNDS = 31

HERE = Path(__file__).resolve().parent


class RowError(Exception):
    """A row failed; one line."""


class Skipped(Exception):
    """A row does not apply to this machine or these options; one line."""


class Worker:
    """One side of a row: a process that performs timed runs on request."""

    def __init__(self, side: str, command: list[str], log: Path) -> None:
        """Starts the process and waits until it is ready."""
        self.side = side
        self.log = log
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log.open("w"), text=True
        )
        if self.read() != "ready":
            self.__exit__()
            raise self.failure("being ready")

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def read(self) -> str:
        return self.process.stdout.readline().strip()

    def ask(self, request: str) -> float:
        """The response to `run N` (seconds per run) or `quit` (peak MiB)."""
        try:
            print(request, file=self.process.stdin, flush=True)
            return float(self.read())
        except (BrokenPipeError, ValueError):
            raise self.failure(f"responding to '{request}'") from None

    def failure(self, what: str) -> RowError:
        return RowError(f"{self.side} ended before {what}: {last_line(self.log)}")


class ProcessRun:
    """One side of a row that measures a whole process per run."""

    def __init__(self, side: str, command: list[str], log: Path) -> None:
        self.side, self.command, self.log = side, command, log
        self.peak = 0.0

    def run(self, runs: int) -> float:
        """Mean seconds of a process."""
        return statistics.mean(self.run_once() for _ in range(runs))

    def run_once(self) -> float:
        start = time.perf_counter()
        with self.log.open("w") as log:
            process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=log)
        # After a fork, the peak is at least this program's, which is small.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RowError(f"{self.side} failed: {last_line(self.log)}")
        self.peak = max(self.peak, usage.ru_maxrss / (2**10 if sys.platform == "linux" else 2**20))
        return seconds


def last_line(log: Path) -> str:
    """The last line of a process's standard error."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no error output"


def alternate(name: str, ours: Callable[[int], float], theirs: Callable[[int], float]) -> tuple[float, float]:
    """Median seconds per run of both sides.

    The first runs are warm-up and determine the runs per turn; they count only if they take as long as a row.
    """
    show_progress(f"{name}: warming up")
    first = [ours(1), theirs(1)]
    if sum(first) < 1:  # Mostly warm-up: measure a run again.
        first = [ours(1), theirs(1)]
    times: list[list[float]] = [[], []]
    if sum(first) >= ROW_SECONDS:
        times = [[seconds] for seconds in first]
    runs = [max(1, min(1000, round(TURN_SECONDS / seconds))) for seconds in first]
    end = time.monotonic() + ROW_SECONDS
    while len(times[0]) < MIN_ROUNDS or (len(times[0]) < MAX_ROUNDS and time.monotonic() < end):
        show_progress(f"{name}: round {len(times[0]) + 1}")
        times[0].append(ours(runs[0]))
        times[1].append(theirs(runs[1]))
    return statistics.median(times[0]), statistics.median(times[1])


def row_of_case(folder: Path) -> dict:
    """The row's description, from the safetensors header."""
    with (folder / "case.safetensors").open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return json.loads(json.loads(file.read(length))["__metadata__"]["row"])


def measure(name: str, folder: Path, options: argparse.Namespace) -> tuple[dict, dict]:
    """Measures a row; returns its description and result."""
    machine = ["--device", options.device, "--threads", str(options.threads)]
    ours_command = [options.ddn, "bench", "--row", name, "--serve", str(folder), *machine]
    ours_command += ["--precision", options.precision]
    theirs_command = [sys.executable, str(HERE / "original.py"), str(folder), *machine]
    theirs_command += ["--precision", options.original_precision or options.precision]
    show_progress(f"{name}: preparing")
    with Worker("ddn", ours_command, folder / "ours.log") as ours:
        row = row_of_case(folder)
        [(kind, work)] = row["work"].items()
        if work.get("isOriginalCompiled") and not (shutil.which("c++") or shutil.which("g++")):
            raise Skipped("torch.compile needs a C++ compiler (c++ or g++)")
        if kind == "density" and not work["originalSamples"]:
            raise Skipped("the original's K x K tables are too large; `ddn bench --rows toy` measures ddn alone")
        if kind == "density" and options.precision != "float32":
            raise Skipped("it has no network")
        if kind == "search":
            raise Skipped("the original has no search; `ddn bench --rows search` measures it and a plain scan")
        if kind == "process" and options.precision != "float32":
            raise Skipped("ddn generate uses float32")
        show_progress(f"{name}: comparing results")
        with Worker("the original", theirs_command, folder / "theirs.log") as theirs:
            if kind != "process":  # A process row needs the workers only to compare results.
                seconds = alternate(name, lambda n: ours.ask(f"run {n}"), lambda n: theirs.ask(f"run {n}"))
                return row, result(row, seconds, (ours.ask("quit"), theirs.ask("quit")))

    program = [options.ddn, *work["arguments"], str(folder / "images"), *machine]
    generate = ProcessRun("ddn", program, folder / "ours.log")
    script = [sys.executable, str(HERE / "generate.py"), str(folder), str(folder / "theirs.png"), *machine]
    original = ProcessRun("the original", script, folder / "theirs.log")
    seconds = alternate(name, generate.run, original.run)
    return row, result(row, seconds, (generate.peak, original.peak))


def result(row: dict, seconds: tuple[float, float], peaks: tuple[float, float]) -> dict:
    """A row of bench-results.json; values are in the row's unit, the ratio is the speedup."""
    if row["unit"] == "samples/s":  # The original gets fewer samples, so that a run ends in time.
        [work] = row["work"].values()
        values = (row["images"] / seconds[0], work["originalSamples"] / seconds[1])
        ratio = values[0] / values[1]
    else:
        in_unit = {"ms": lambda s: s * 1000, "s": lambda s: s, "images/s": lambda s: row["images"] / s}[row["unit"]]
        values = (in_unit(seconds[0]), in_unit(seconds[1]))
        ratio = seconds[1] / seconds[0]
    return {
        "row": row["name"],
        "unit": row["unit"],
        "ours": values[0],
        "theirs": values[1],
        "ratio": ratio,
        "ours_peak_mb": peaks[0],
        "theirs_peak_mb": peaks[1],
    }


TABLE = "{:<50} {:>8} {:>9} {:>9} {:>7} {:>7} {:>9} {:>11}"


def target_ratio(row: dict, precision: str) -> float:
    return row.get("wantedRatioInBfloat16" if precision == "bfloat16" else "wantedRatio", row["wantedRatio"])


def table_line(target: float, found: dict) -> str:
    def short(value: float) -> str:
        return f"{value:.0f}" if value >= 100 else f"{value:.3g}"

    return TABLE.format(
        found["row"],
        found["unit"],
        short(found["ours"]),
        short(found["theirs"]),
        f"{found['ratio']:.2f}",
        f"{target:g}",
        f"{found['ours_peak_mb']:.0f}",
        f"{found['theirs_peak_mb']:.0f}",
    )


def show_progress(text: str) -> None:
    """Overwrites the status line on a terminal; empty text clears it."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def print_line(text: str) -> None:
    show_progress("")
    print(text, flush=True)


def write_atomically(path: Path, results: list[dict]) -> None:
    """Writes the results atomically."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(results, indent=2) + "\n")
    os.replace(part, path)


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--ddn", default=str(HERE.parent / ".build/release/ddn"), help="path of ddn")
    parser.add_argument("--rows", default="", help="only rows whose name contains this")
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for both (default: cpu)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for both (default: all cores)")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="for both")
    parser.add_argument("--original-precision", choices=["float32", "bfloat16"], help="for the original only")
    parser.add_argument("--output", type=Path, default=Path("bench-results.json"), help="results file")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    try:
        listed = subprocess.run([options.ddn, "bench", "--list"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        sys.exit(f"bench: {options.ddn} bench --list fails: run make build first")
    names = [name for name in listed.stdout.splitlines() if options.rows in name]
    if not names:
        sys.exit(f"bench: no row name contains '{options.rows}': list them with {options.ddn} bench --list")

    theirs = f" (the original {options.original_precision})" if options.original_precision else ""
    print_line(f"{options.device}, {options.precision}{theirs}, {options.threads} threads each; medians")
    print_line(TABLE.format("row", "unit", "ours", "theirs", "ratio", "target", "our MiB", "their MiB"))
    results, failures = [], 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="ddn-bench-") as folder:
            try:
                row, found = measure(name, Path(folder), options)
                results.append(found)
                write_atomically(options.output, results)  # After each row, so that an interruption loses only one.
                print_line(table_line(target_ratio(row, options.precision), found))
            except Skipped as skipped:
                print_line(f"{name}: skipped, {skipped}")
            except RowError as error:
                failures += 1
                print_line(f"{name}: {error}")
    where = f"results: {options.output}" if results else "no results"
    print_line(where + (f", {failures} {'row' if failures == 1 else 'rows'} failed" if failures else ""))
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        show_progress("")
        print("bench: interrupted", file=sys.stderr)
        sys.exit(130)
