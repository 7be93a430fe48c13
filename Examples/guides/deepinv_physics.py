"""Agrees with what a measurement device of deepinv (pip install deepinv) sees of the target.

    ddn guide --network faces.safetensors --image face.png --outdir measured \\
      --guide "program:python3 Examples/guides/deepinv_physics.py compressed,timeout=120"

The argument is a key of OPERATORS, most of which are linear; add an operator A there. Images of all levels are resized to
the target's size, and the score is the negative mean squared difference of A(image) and A(target), in units of [0, 1].
"""

import sys

import ddn_guide
import numpy as np

try:
    import torch
    from deepinv import physics
except ImportError as error:
    sys.exit(f"{error}: pip install deepinv")

# Of an image's shape (channels, height, width).
OPERATORS = {
    # A tenth of random projections.
    "compressed": lambda shape: physics.CompressedSensing(
        m=max(1, int(np.prod(shape)) // 10), img_size=shape, rng=torch.Generator().manual_seed(0)
    ),
    # A camera's color filters.
    "demosaicing": lambda shape: physics.Demosaicing(img_size=shape),
    # A quarter of the size, after a Gaussian filter.
    "downsampling": lambda shape: physics.Downsampling(img_size=shape, factor=4, filter="gaussian"),
    # Twenty projections of the gray image.
    "tomography": lambda shape: Gray(physics.Tomography(angles=20, img_width=shape[-1])),
}


class Gray:
    def __init__(self, operator):
        self.operator = operator

    def A(self, images):
        return self.operator.A(images.mean(1, keepdim=True))


class Guide:
    def __init__(self, name):
        self.make, self.operator = OPERATORS[name], None

    def measure(self, images):
        """[..., C, H, W] in [-1, 1] to [..., M]."""
        flat = torch.from_numpy(images.reshape(-1, *images.shape[-3:])) * 0.5 + 0.5
        with torch.no_grad():
            return self.operator.A(flat).reshape(*images.shape[:-3], -1).numpy()

    def score(self, images, batch, level):
        targets = batch.require_targets()
        if self.operator is None:
            self.operator = self.make(targets.shape[1:])
        difference = self.measure(ddn_guide.area(images, *targets.shape[-2:])) - self.measure(targets)[:, None]
        return -(difference**2).mean(axis=2)


if len(sys.argv) != 2 or sys.argv[1] not in OPERATORS:
    sys.exit(f"usage: deepinv_physics.py {'|'.join(OPERATORS)}")
ddn_guide.serve(Guide(sys.argv[1]).score)
