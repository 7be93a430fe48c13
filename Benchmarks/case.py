"""The case file: a benchmark row, its weights and inputs, and the expected results of `ddn`."""

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
    """A file of `ddn bench --serve`, with tensors on the device."""

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
                groups[group][name] = file.get_tensor(key).clone()  # A view would keep the whole file in memory.
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
    """Loads parameters by the original's names, strictly."""
    missing, unexpected = network.load_state_dict(weights, strict=False, assign=True)
    missing = [name for name in missing if not name.endswith("ddo.split_idxs")]  # Not a parameter.
    if missing or unexpected:
        raise KeyError(f"missing weights {missing}, unexpected weights {unexpected}")
