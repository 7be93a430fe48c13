"""The case file: a row, its weights and inputs, and what the other program made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from mnist_network import RecurrentNetwork


@dataclass
class Case:
    """What `ddn bench --serve` wrote; tensors are on the device."""

    row: dict
    weights: dict[str, Tensor]
    input: dict[str, Tensor]
    expected: dict[str, Tensor]
    device: torch.device

    @staticmethod
    def load(folder: Path, device: torch.device) -> Case:
        """Reads FOLDER/case.safetensors."""
        groups: dict[str, dict[str, Tensor]] = {"weights": {}, "input": {}, "expected": {}}
        with safe_open(folder / "case.safetensors", framework="pt", device=str(device)) as file:
            row = json.loads(file.metadata()["row"])
            for key in file.keys():
                group, name = key.split(".", 1)
                groups[group][name] = file.get_tensor(key)
        return Case(row, **groups, device=device)

    def network(self, work: dict) -> RecurrentNetwork:
        """The network that `work` describes, with the case's weights."""
        network = RecurrentNetwork(work["width"], work["nodes"], work["levels"])
        network.load_weights(self.weights)
        return network.to(self.device)
