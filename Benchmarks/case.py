"""The case file: a row, its weights and inputs, and what the other program made of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn

from mnist_network import RecurrentNetwork
from pyramid_network import PyramidNetwork


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
                groups[group][name] = file.get_tensor(key).clone()  # Otherwise the whole file stays in memory.
        return Case(row, **groups, device=device)

    def network(self, work: dict) -> RecurrentNetwork | PyramidNetwork:
        """The network that `work` describes, with the case's weights."""
        if "pyramid" in work:
            network = PyramidNetwork(work["pyramid"])
        else:
            network = RecurrentNetwork(work["width"], work["nodes"], work["levels"])
        load_weights(network, self.weights)
        return network.to(self.device)


def load_weights(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """Takes over parameters by the original's names: all of them, and no others."""
    missing, unexpected = network.load_state_dict(weights, strict=False, assign=True)
    missing = [name for name in missing if not name.endswith("ddo.split_idxs")]  # No parameter.
    if missing or unexpected:
        raise KeyError(f"weights are missing {missing} and have {unexpected} too many")
