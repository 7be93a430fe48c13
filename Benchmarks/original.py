"""The original's benchmark worker, with the protocol of `ddn bench --row NAME --serve FOLDER`.

Loads the case, compares results, and prints `ready`. For a line `run N` it does the work N times and prints the seconds
per run; at `quit` or the end of input it prints the peak memory in MiB.
"""

import argparse
import contextlib
import sys
import time
from pathlib import Path

import torch

from case import Case
from checks import Difference
from jobs import Job, make_job


def timed(job: Job, device: torch.device, runs: int) -> float:
    """Mean seconds per run, including the device's pending work."""
    synchronize(device)
    start = time.perf_counter()
    for _ in range(runs):
        job.run()
    synchronize(device)
    return (time.perf_counter() - start) / runs


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def reset_peak(device: torch.device) -> None:
    """Resets the peak memory, as ddn does: comparing may need more than the work."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with contextlib.suppress(OSError):  # Linux only.
        Path("/proc/self/clear_refs").write_text("5")


def peak_mebibytes(device: torch.device) -> float:
    """Peak memory since reset_peak: of the device's tensors, or on a CPU of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "linux":
        # On Linux, getrusage may return the parent's peak.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes.


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with case.safetensors")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.backends.cudnn.allow_tf32 = False  # As in ddn and in the original's training.
    case = Case.load(options.folder, options.device)
    autocast = torch.autocast(options.device.type, torch.bfloat16, enabled=options.precision == "bfloat16")
    job = make_job(case, autocast)
    try:
        job.check()
    except Difference as difference:
        sys.exit(f"the results differ: {difference}")

    reset_peak(options.device)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        print(timed(job, options.device, runs=int(line.split()[1])), flush=True)
    print(peak_mebibytes(options.device), flush=True)


if __name__ == "__main__":
    main()
