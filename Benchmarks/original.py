"""The original's side of a comparison: the same protocol as `ddn bench --row NAME --serve FOLDER`.

Loads the case, does the same work, refuses when the results differ, prints `ready`; then for every line `run 3` does the
work three times and prints the seconds that one took; at `quit` or the end of the input prints the peak memory in MiB.
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
    """Seconds of one of some runs in a row, until the device has nothing left to do."""
    synchronize(device)
    start = time.perf_counter()
    for _ in range(runs):
        job.run()
    synchronize(device)
    return (time.perf_counter() - start) / runs


def synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def forget_peak(device: torch.device) -> None:
    """Makes what is held now the peak, as our side does: comparing may have taken more than the work."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    with contextlib.suppress(OSError):  # Only Linux has this.
        Path("/proc/self/clear_refs").write_text("5")


def peak_mebibytes(device: torch.device) -> float:
    """The most memory that the device's tensors, or on a CPU this process, have held since forget_peak."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "linux":
        # Not getrusage, which on Linux can tell the peak of whoever started this process.
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
    torch.backends.cudnn.allow_tf32 = False  # float32 is float32 on both sides, as in the original's training
    case = Case.load(options.folder, options.device)
    autocast = torch.autocast(options.device.type, torch.bfloat16, enabled=options.precision == "bfloat16")
    job = make_job(case, autocast)
    try:
        job.check()
    except Difference as difference:
        sys.exit(f"the original does something else: {difference}")

    forget_peak(options.device)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        print(timed(job, options.device, runs=int(line.split()[1])), flush=True)
    print(peak_mebibytes(options.device), flush=True)


if __name__ == "__main__":
    main()
