"""The original's MNIST network around `sddn.DiscreteDistributionOutput`.

Parameters have the original's names. Images are [B, 1, 32, 32] in [-1, 1].
"""

import torch
from sddn import DiscreteDistributionOutput
from torch import Tensor, nn

SIDE = 32
CLASSES = 10
CLASS_WIDTH = 100


class NormConvolutionSilu(nn.Module):
    """Layer norm over the whole image, 3x3 convolution, SiLU."""

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__()
        self.ln = nn.LayerNorm((inputs, side, side))
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.silu(self.conv1(self.ln(x)))


def block(side: int, *channels: int) -> nn.Sequential:
    """A stack; `channels` of the input, then of every output."""
    return nn.Sequential(*(NormConvolutionSilu(a, b, side) for a, b in zip(channels, channels[1:])))


def shift(channels: int) -> nn.Sequential:
    """From a class embedding to a shift per channel."""
    return nn.Sequential(nn.Linear(CLASS_WIDTH, channels), nn.SiLU(), nn.Linear(channels, channels))


class UNet(nn.Module):
    """One level without its nodes: from the previous image to the features that the nodes read."""

    def __init__(self, width: int, nodes: int) -> None:
        super().__init__()
        b = width
        self.class_embed = nn.Embedding(CLASSES, CLASS_WIDTH)
        self.class_embed.weight.requires_grad = False

        self.te1 = shift(1)
        self.b1 = block(SIDE, 1, b, b, b)
        self.b1_previous_last = block(SIDE, b, b, b, b)
        self.b1_leak_choice = block(SIDE, 1, b, b, b)
        self.down1 = nn.Conv2d(b, b, 4, stride=2, padding=1)
        self.te2 = shift(b)
        self.b2 = block(SIDE // 2, b, 2 * b, 2 * b, 2 * b)
        self.down2 = nn.Conv2d(2 * b, 2 * b, 4, stride=2, padding=1)
        self.te3 = shift(2 * b)
        self.b3 = block(SIDE // 4, 2 * b, 4 * b, 4 * b, 4 * b)
        self.down3 = nn.Conv2d(4 * b, 4 * b, 4, stride=2, padding=1)
        self.te_mid = shift(4 * b)
        self.b_mid = block(SIDE // 8, 4 * b, 2 * b, 2 * b, 4 * b)
        self.up1 = nn.ConvTranspose2d(4 * b, 4 * b, 4, stride=2, padding=1)
        self.te4 = shift(8 * b)
        self.b4 = block(SIDE // 4, 8 * b, 4 * b, 2 * b, 2 * b)
        self.up2 = nn.ConvTranspose2d(2 * b, 2 * b, 4, stride=2, padding=1)
        self.te5 = shift(4 * b)
        self.b5 = block(SIDE // 2, 4 * b, 2 * b, b, b)
        self.up3 = nn.ConvTranspose2d(b, b, 4, stride=2, padding=1)
        self.te_out = shift(2 * b)
        self.b_out = block(SIDE, 2 * b, b, b, b)

        self.ddo = DiscreteDistributionOutput(nodes, last_c=b, predict_c=1, leak_choice=True)
        self.ddo.learn_residual = False

    def forward(self, image: Tensor, features: Tensor, leak: Tensor, classes: Tensor) -> Tensor:
        """[B, 1, 32, 32], [B, width, 32, 32], [B, 1, 32, 32] and [B] to [B, width, 32, 32]."""
        e = self.class_embed(classes)

        def shifted(layer: nn.Sequential, x: Tensor) -> Tensor:
            return x + layer(e)[:, :, None, None]

        full = self.b1(shifted(self.te1, image)) + self.b1_previous_last(features) + self.b1_leak_choice(leak)
        half = self.b2(shifted(self.te2, self.down1(full)))
        quarter = self.b3(shifted(self.te3, self.down2(half)))
        x = self.b_mid(shifted(self.te_mid, self.down3(quarter)))
        x = self.b4(shifted(self.te4, torch.cat((quarter, self.up1(x)), 1)))
        x = self.b5(shifted(self.te5, torch.cat((half, self.up2(x)), 1)))
        return self.b_out(shifted(self.te_out, torch.cat((full, self.up3(x)), 1)))


def linear_embedding(channels: int) -> Tensor:
    """The first level's input: [channels, 32, 32], a ramp from -1 to 1, rotated by 90 degrees per channel."""
    ramp = torch.linspace(-1, 1, channels * SIDE * SIDE).reshape(channels, SIDE, SIDE)
    return torch.stack([torch.rot90(channel, turns) for turns, channel in enumerate(ramp)])


class RecurrentNetwork(nn.Module):
    """One U-Net and one layer of nodes, applied at every level."""

    loss_scale = 1

    def __init__(self, width: int, nodes: int, levels: int) -> None:
        super().__init__()
        self.levels = levels
        self.ddn_seqen = nn.ModuleList([UNet(width, nodes)])
        self.register_buffer("first_image", linear_embedding(1), persistent=False)
        self.register_buffer("first_features", linear_embedding(width), persistent=False)
        self.run_unet = self.ddn_seqen[0].__call__

    def compile(self) -> None:
        """Compiles the U-Net, but not sddn's layer."""
        self.run_unet = torch.compile(self.ddn_seqen[0].forward)

    def forward(self, d: dict, batch: int) -> dict:
        """Runs all levels on sddn's dictionary with `target` [B, 1, 32, 32] or `idx_ks` [L, B]."""
        layer = self.ddn_seqen[0].ddo
        classes = torch.zeros(batch, dtype=torch.int64, device=self.first_image.device)
        image = self.first_image.expand(batch, -1, -1, -1)
        features = self.first_features.expand(batch, -1, -1, -1)
        leak = image
        for _ in range(self.levels):
            features = self.run_unet(image, features, leak, classes)
            d["feat_last"] = features
            d = layer(d)
            image, leak = d["predict"], d["feat_leak"]
        return d
