"""Writes codes as the original program saves them: int16, an image a row, zeros after the true levels."""

import pathlib

import torch

codes = torch.zeros(3, 12, dtype=torch.int16)
codes[:, :3] = torch.tensor([[3, 0, 7], [1, 2, 3], [0, 0, 0]], dtype=torch.int16)
torch.save(codes, pathlib.Path(__file__).parent / "ddn_latents_l12_n3.pt")
