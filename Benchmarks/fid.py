"""Compares `ddn fid` with pytorch-fid: value, time and memory for the same images and random Inception weights.

    scripts/bench fid IMAGES.zip --count 10000 --threads 2

IMAGES.zip holds at least COUNT + 500 images; the last 500 are the reference. Both programs read the same folder, the same
weights and the same reference statistics, which ddn wrote.
"""

import argparse
import io
import os
import pathlib
import re
import runpy
import subprocess
import sys
import tempfile
import time
import zipfile

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
DDN = ROOT / ".build/release/ddn"
REFERENCE = 500

# Runs in a process of its own: pytorch-fid with given weights in place of a download.
CHILD = """
import runpy, sys, torch
golden, weights, threads, images, reference, workers = sys.argv[1:]
runpy.run_path(golden)  # registers torchvision's operators where they are missing
import pytorch_fid.inception as inception
from pytorch_fid.fid_score import calculate_fid_given_paths
torch.set_num_threads(int(threads))
inception.load_state_dict_from_url = lambda *_, **__: torch.load(weights, weights_only=True)
load = torch.nn.Module.load_state_dict
torch.nn.Module.load_state_dict = lambda self, state, *a, **k: load(self, state, strict=False)
value = calculate_fid_given_paths([images, reference], 50, "cpu", 2048, int(workers))
print("FID:", value)
"""


def timed(command, **environment):
    """Output, seconds, processor seconds and peak memory in MiB of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    output, errors = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]}: {errors.strip()[-2000:]}")
    return output, time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench fid", description=__doc__.splitlines()[0])
    parser.add_argument("images", type=pathlib.Path, help="a zip file of images of one size")
    parser.add_argument("--count", type=int, default=9500, help="images to measure (default: 9500)")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(options.images) as archive:
        folder = pathlib.Path(folder)
        names = sorted(name for name in archive.namelist() if name.endswith((".png", ".jpg", ".webp")))
        if len(names) < options.count + REFERENCE:
            sys.exit(f"{options.images}: has {len(names)} images, fewer than {options.count + REFERENCE}")
        for kind, chosen in [("images", names[: options.count]), ("reference", names[-REFERENCE:])]:
            (folder / kind).mkdir()
            for number, name in enumerate(chosen):
                # As PNG, which both read to the same pixels.
                Image.open(io.BytesIO(archive.read(name))).save(folder / kind / f"{number:06d}.png")
        golden = ROOT / "Tests/Golden/inception/generate.py"
        weights, reference = folder / "weights.pth", folder / "reference.npz"
        import torch

        _, state = runpy.run_path(str(golden))["inception"]()
        torch.save(state, weights)

        threads = {"OMP_NUM_THREADS": str(options.threads)}
        detector = ["--detector", weights, "--cache", "none"]
        timed([DDN, "fid", "ref", "--data", folder / "reference", "--dest", reference, *detector], **threads)
        calculate = [DDN, "fid", "calc", "--images", folder / "images", "--ref", reference, "--num", options.count]
        output, *ours_took = timed([*calculate, *detector], **threads)
        ours = float(re.search(r"FID: ([-\d.e+]+)", output)[1])
        # Its default is a process a core that decodes images; none where one thread is compared with one.
        workers = 0 if options.threads == 1 else options.threads
        child = [sys.executable, "-c", CHILD, golden, weights, options.threads, folder / "images", reference, workers]
        output, *theirs_took = timed(child, **threads)
        theirs = float(re.search(r"FID: ([-\d.e+]+)", output)[1])

    print(f"{options.count} images, {options.threads} threads, random weights")
    print("| program | FID | seconds | processor seconds | images a second | peak MiB |")
    print("|---|---|---|---|---|---|")
    for name, value, (seconds, processor, peak) in [("ddn", ours, ours_took), ("pytorch-fid", theirs, theirs_took)]:
        print(
            f"| {name} | {value:.6g} | {seconds:.1f} | {processor:.1f} | {options.count / seconds:.2f} | {peak:.0f} |"
        )
    ratios = [theirs_took[place] / ours_took[place] for place in range(2)]
    print(
        f"relative difference {abs(ours - theirs) / abs(theirs):.1e}; ddn takes 1/{ratios[0]:.2f} of the time, "
        f"1/{ratios[1]:.2f} of the processor's"
    )


if __name__ == "__main__":
    main()
