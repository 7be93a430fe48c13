"""Writes the TorchScript modules of this folder: `python3 generate.py` with PyTorch 2.13.

    brightness.pt   [N, C, h, w] to [N], the mean
    classes.pt      [N, C, h, w] to [N, 3] logits: 5 times the mean, 0, -5 times the mean
    features.pt     [N, C, h, w] to [N, 2, 2, 2], two channels of weights that are written below, pooled
    tuple.pt        returns a tuple
    fails.pt        raises
    weights.pt      no module: a state dictionary of torch.save
"""

import pathlib

import torch
from torch import nn

folder = pathlib.Path(__file__).parent


class Brightness(nn.Module):
    def forward(self, images):
        return images.mean([1, 2, 3])


class Classes(nn.Module):
    def forward(self, images):
        mean = images.mean([1, 2, 3])
        return torch.stack([5 * mean, 0 * mean, -5 * mean], 1)


class Features(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(1, 2, 3, padding=1)
        with torch.no_grad():
            self.convolution.weight.copy_(torch.arange(18.0).reshape(2, 1, 3, 3) / 18)
            self.convolution.bias.copy_(torch.tensor([0.5, -0.5]))
        # Only in training mode.
        self.dropout = nn.Dropout(0.5)

    def forward(self, images):
        features = self.dropout(self.convolution(images.mean(1, keepdim=True)))
        return nn.functional.adaptive_avg_pool2d(features, 2)


class Pair(nn.Module):
    def forward(self, images):
        return images, images


class Fails(nn.Module):
    def forward(self, images):
        assert images.shape[1] == 7, "seven channels, please"
        return images


for name, module in {
    "brightness": Brightness(),
    "classes": Classes(),
    "features": Features(),
    "tuple": Pair(),
    "fails": Fails(),
}.items():
    torch.jit.script(module).save(str(folder / f"{name}.pt"))
torch.save({"weight": torch.zeros(2)}, folder / "weights.pt")
