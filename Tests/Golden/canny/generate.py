"""Writes `canny.safetensors`: `python3 generate.py PICTURE...` with opencv-python-headless 5.0, numpy, safetensors.

Gray pictures `[H, W]` uint8 and what `cv2.Canny(picture, 100, 200)` finds in them, 255 on edges: noise at several
contrasts and blurs, shapes, and the 64 x 64 pixels of the pictures' centers, resized.
"""

import pathlib
import sys

import cv2
import numpy as np
from safetensors.numpy import save_file

random = np.random.default_rng(1)
pictures = {}
for height, width in [(1, 1), (1, 7), (2, 2), (3, 5), (16, 16), (32, 32), (33, 47)]:
    pictures[f"noise_{height}x{width}"] = random.integers(0, 256, (height, width), dtype=np.uint8)
for blur in [0.7, 1.2, 2.5]:
    noise = random.integers(0, 256, (64, 64), dtype=np.uint8)
    pictures[f"blurred_{blur}"] = cv2.normalize(
        cv2.GaussianBlur(noise, (0, 0), blur), None, 0, 255, cv2.NORM_MINMAX
    )
shapes = np.full((64, 64), 40, np.uint8)
cv2.circle(shapes, (30, 34), 18, 200, -1)
cv2.rectangle(shapes, (5, 5), (25, 20), 120, -1)
cv2.line(shapes, (0, 63), (63, 0), 255, 2)
pictures["shapes"] = shapes
for number, path in enumerate(sys.argv[1:]):
    picture = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    side = min(picture.shape)
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = picture[top : top + side, left : left + side]
    pictures[f"picture_{number}"] = cv2.resize(square, (64, 64), interpolation=cv2.INTER_AREA)

tensors = {f"{name}.gray": picture for name, picture in pictures.items()}
tensors |= {f"{name}.edges": cv2.Canny(picture, 100, 200) for name, picture in pictures.items()}
save_file(tensors, pathlib.Path(__file__).parent / "canny.safetensors")
