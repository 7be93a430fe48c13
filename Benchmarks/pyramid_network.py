"""The original's pyramid network around `sddn.DiscreteDistributionOutput`.

Parameters have the original's names. Images are [B, C, H, W] in [-1, 1].
"""

import torch
from sddn import DiscreteDistributionOutput
from torch import Tensor, nn
from torch.nn.functional import interpolate, silu


def norm(channels: int) -> nn.GroupNorm:
    """Group norm with groups of at least four channels, at most 32 groups."""
    return nn.GroupNorm(min(32, channels // 4), channels, eps=1e-6)


class ResidualBlock(nn.Module):
    """Two convolutions with group norm and SiLU, and a skip connection; optionally upsamples 2x."""

    def __init__(self, inputs: int, outputs: int, is_up: bool) -> None:
        super().__init__()
        self.is_up = is_up
        self.norm0 = norm(inputs)
        self.conv0 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm1 = norm(outputs)
        self.conv1 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if is_up or inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H', W']."""
        y = silu(self.norm0(x))
        if self.is_up:  # Nearest neighbour; the original uses an equivalent transposed convolution.
            y, x = interpolate(y, scale_factor=2), interpolate(x, scale_factor=2)
        y = self.conv1(silu(self.norm1(self.conv0(y))))
        return (y + self.skip(x)) * 0.5**0.5


class Level(nn.Module):
    """A block and its nodes."""

    def __init__(self, level: dict) -> None:
        super().__init__()
        self.block = ResidualBlock(level["inputChannels"], level["channels"], level["isUp"])
        self.ddo = DiscreteDistributionOutput(
            level["nodes"], last_c=level["channels"], predict_c=level["imageChannels"], leak_choice=True, size=level["side"]
        )


def module_name(level: dict) -> str:
    side = level["side"]
    return f"block_{side}x{side}_{level['place']}" + ("_up" if level["isUp"] else "")


class PyramidNetwork(nn.Module):
    """Levels with separate weights, from one pixel to the full resolution."""

    def __init__(self, levels: list[dict]) -> None:
        """Args: levels: side, place, inputChannels, channels, nodes, isUp and imageChannels of each."""
        super().__init__()
        first, last = levels[0], levels[-1]
        assert first["side"] == 1, "initial features of more than one pixel are not supported"
        self.image_channels = last["imageChannels"]
        # The original minimizes the mean of the levels' losses times the elements of an image.
        self.loss_scale = self.image_channels * last["side"] ** 2
        self.model = nn.ModuleDict({module_name(level): Level(level) for level in levels})
        ramp = torch.linspace(-1, 1, first["inputChannels"]).reshape(1, -1, 1, 1)
        self.register_buffer("first_features", ramp, persistent=False)

    def forward(self, d: dict, batch: int) -> dict:
        """Runs all levels on sddn's dictionary with `target` [B, C, H, W] or `idx_ks` [L, B]."""
        c = self.image_channels
        features = self.first_features.expand(batch, -1, -1, -1)
        for level in self.model.values():
            x = features
            if "predict" in d:
                x = features.clone()  # The layer needs the unchanged features for its gradient.
                x[:, :c] += d["predict"]
                x[:, -c:] += d["feat_leak"]
            features = level.block(x)
            d["feat_last"] = features
            d = level.ddo(d)
        return d
