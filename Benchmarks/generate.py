"""Generates the digits of a case with the original, as a whole process."""

import argparse
import math
from pathlib import Path

import numpy
import torch
from PIL import Image

from case import Case
from mnist_network import SIDE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with case.safetensors")
    parser.add_argument("grid", type=Path, help="PNG to write")
    parser.add_argument("--device", type=torch.device, default=torch.device("cpu"))
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    case = Case.load(options.folder, options.device)
    network = case.network(case.row["work"]["process"]["network"]).eval()
    codes = case.input["codes"].cpu().numpy()
    count = codes.shape[1]
    with torch.no_grad():
        images = network({"idx_ks": list(codes)}, count)["predict"]

    pixels = (images[:, 0] * 127.5 + 128).clip(0, 255).byte().cpu().numpy()
    columns = math.isqrt(count)
    rows = [numpy.hstack(pixels[start : start + columns]) for start in range(0, count, columns)]
    assert all(row.shape[1] == columns * SIDE for row in rows), f"{count} is not a square number"
    Image.fromarray(numpy.vstack(rows)).save(options.grid)


if __name__ == "__main__":
    main()
