"""Writes this folder's golden numbers: features of pytorch-fid's Inception v3 with weights and images by the formula of
../formula.py, a small detector in TorchScript, and statistics in the layouts of other programs. See README.md."""

import json
import pathlib
import pickle
import sys

import numpy as np
import torch

# torchvision's compiled operators, which some wheels cannot load without CUDA, are not needed.
library = torch.library.Library("torchvision", "FRAGMENT")
for name in ["nms", "qnms"]:
    try:
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass
import pytorch_fid.inception as fid  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
from formula import uniform, weight  # noqa: E402


def inception():
    """pytorch-fid's network with the formula's weights, and its state dictionary, which is what the published file has."""
    state = {}

    def load(network):
        state.update({name: weight(name, tuple(t.shape)) for name, t in network.state_dict().items() if t.dim()})
        return state

    # The network asks for its weights while it is built.
    fid.load_state_dict_from_url = lambda *_, **__: None
    original = torch.nn.Module.load_state_dict
    torch.nn.Module.load_state_dict = lambda self, given, *a, **k: original(self, given or load(self), strict=False)
    try:
        return fid.InceptionV3([3]).eval(), state
    finally:
        torch.nn.Module.load_state_dict = original


class Detector(torch.nn.Module):
    """As NVIDIA's: uint8 RGB in, features if asked for, otherwise class probabilities."""

    def forward(self, img, return_features: bool = False):
        assert img.dtype == torch.uint8, "uint8, please"
        assert img.shape[1] == 3, "RGB, please"
        features = torch.nn.functional.adaptive_avg_pool2d(img.to(torch.float32), 2).flatten(1)
        return features if return_features else features.softmax(1)[:, :3]


if __name__ == "__main__":
    torch.set_num_threads(1)
    network, state = inception()
    shapes = {name.removesuffix(".conv.weight"): list(t.shape) for name, t in state.items() if name.endswith("conv.weight")}
    (FOLDER / "shapes.json").write_text(json.dumps(shapes, separators=(",", ":")) + "\n")
    outputs = {}
    with torch.no_grad():
        for height, width in [(32, 32), (5, 3)]:
            x = torch.from_numpy(uniform(f"images.{height}", 2 * 3 * height * width).astype(np.float32)) / 2 + 0.5
            outputs[f"features.{height}"] = network(x.reshape(2, 3, height, width))[0].flatten(1)
    save_file(outputs, FOLDER / "outputs.safetensors")
    torch.jit.script(Detector()).save(str(FOLDER / "detector.pt"))

    rows = uniform("rows", 20 * 4).reshape(20, 4)
    mu, sigma = rows.mean(0), np.cov(rows, rowvar=False)
    np.savez(FOLDER / "edm.npz", mu=mu, sigma=sigma)
    np.savez_compressed(FOLDER / "adm.npz", arr_0=np.zeros((3, 8, 8, 3), np.uint8), mu=mu, sigma=sigma, mu_s=mu, sigma_s=sigma)
    other = {"mu": np.zeros(2), "sigma": np.eye(2)}
    with open(FOLDER / "edm2.pkl", "wb") as file:
        pickle.dump({"num_images": 20, "fid": {"mu": mu, "sigma": sigma}, "fd_dinov2": other}, file)
    (FOLDER / "statistics.json").write_text(json.dumps({"mu": mu.tolist(), "sigma": sigma.tolist()}) + "\n")
    shuffles = {}
    for seed in [0, 7]:
        order = np.arange(1000)
        np.random.RandomState(seed).shuffle(order)
        shuffles[str(seed)] = np.sort(order[:12]).tolist()
    (FOLDER / "shuffles.json").write_text(json.dumps(shuffles) + "\n")
