"""The original's work for each row, to compare results and to be timed."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from typing import Callable, Protocol

import torch
from sddn import DiscreteDistributionOutput
from sddn.discrete_distribution import mse_loss_multi_output
from torch import Tensor

from case import Case
from checks import check_close, check_codes
from densities import DensityJob

# The original's fastest of 32, 128 and 512.
ENCODING_BATCH = 128


class Job(Protocol):
    """One row's work."""

    def check(self) -> None:
        """Raises Difference unless the results equal the case's."""

    def run(self) -> None:
        """Does the work once."""


def recording(distances: list[Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """sddn's distance; appends its results to `distances`."""

    def distance(outputs: Tensor, target: Tensor) -> Tensor:
        result = mse_loss_multi_output(outputs, target)
        distances.append(result)
        return result

    return distance


class LayerJob:
    """A single layer: evaluation with a target, or its part of a training step."""

    def __init__(self, case: Case, work: dict, autocast: AbstractContextManager) -> None:
        self.case = case
        self.autocast = autocast
        self.is_training = work["job"] == "training"
        self.layer = DiscreteDistributionOutput(
            work["nodes"], last_c=2 * work["nodeInputs"], predict_c=work["channels"], leak_choice=True
        ).to(case.device)
        self.layer.learn_residual = work["learnsResidual"]
        self.weight = self.layer.multi_out_conv1x1.weight
        self.layer.load_state_dict(case.weights, strict=False)
        self.layer.train(self.is_training)
        self.features = case.input["features"].requires_grad_(self.is_training)

    def forward(self, **more: object) -> dict:
        """Runs the layer on a new dictionary, because sddn modifies it."""
        d = {"feat_last": self.features, "predict": self.case.input["previous"], "target": self.case.input["target"]}
        return self.layer({**d, **more})

    def backward(self, d: dict) -> None:
        (d["losses"][0] + d["feat_leak"].mean()).backward()

    def clear_gradients(self) -> None:
        self.weight.grad = self.features.grad = None

    def run(self) -> None:
        if self.is_training:
            with self.autocast:
                d = self.forward()
            self.backward(d)
            self.clear_gradients()
        else:
            with torch.no_grad(), self.autocast:
                self.forward()

    def check(self) -> None:
        expected = self.case.expected
        distances: list[Tensor] = []
        self.layer.eval()
        with torch.no_grad():
            d = self.forward(distance_func=recording(distances))
        self.layer.train(self.is_training)
        ours, theirs = expected["codes"], d["idx_ks"][0]
        same = check_codes(ours[None], theirs[None], distances)[0]
        check_close("losses", expected["losses"][same], d["distances"][0][same])
        check_close("images", expected["images"][same], d["predict"][same])
        check_close("leaked choices", expected["leak"][same], d["feat_leak"][same])
        if self.is_training:
            self.backward(self.forward())
            check_close("gradient of features", expected["gradientOfFeatures"][same], self.features.grad[same])
            # Gradients differ for nodes that only one side chose.
            nodes = torch.ones(self.layer.k, dtype=torch.bool, device=same.device)
            nodes[ours[~same]] = nodes[theirs[~same]] = False
            rows = nodes.repeat_interleave(self.layer.predict_c)
            check_close("gradient of weights", expected["gradientOfWeights"][rows], self.weight.grad[rows])
            self.clear_gradients()


class NetworkJob:
    """A network with the case's weights."""

    def __init__(self, case: Case, work: dict, autocast: AbstractContextManager) -> None:
        self.case = case
        self.autocast = autocast
        self.work = work
        self.network = case.network(work)

    def images(self, start: int, count: int) -> Tensor:
        """[count, C, H, W] in [-1, 1], from the case's images."""
        return self.case.input["images"][start : start + count].float() * (1 / 127.5) - 1

    def check_reconstruction(self) -> None:
        """Compares codes, losses of all levels and final images of the first images."""
        ours, losses = self.case.expected["codes"].to(self.case.device), self.case.expected["losses"]
        distances: list[Tensor] = []
        self.network.eval()
        images = self.images(0, ours.shape[1])
        with torch.no_grad():
            d = self.network({"target": images, "distance_func": recording(distances)}, len(images))
        same = check_codes(ours, torch.stack(d["idx_ks"]), distances)
        check_close("losses", losses.to(same.device)[same].float(), torch.stack(d["distances"])[same])
        check_close("images", self.case.expected["images"][same[-1]], d["predict"][same[-1]])


class TrainJob(NetworkJob):
    """A training step of the original program."""

    def __init__(self, case: Case, work: dict, autocast: AbstractContextManager) -> None:
        super().__init__(case, work, autocast)
        self.optimizer = torch.optim.Adam([p for p in self.network.parameters() if p.requires_grad], lr=1e-3)
        self.step = 0

    def check(self) -> None:
        self.check_reconstruction()
        self.network.train()
        if self.work.get("isOriginalCompiled"):
            self.network.compile()

    def run(self) -> None:
        batch = self.work["batch"]
        start = self.step * batch % self.work["images"]
        self.step += 1
        with self.autocast:
            d = self.network({"target": self.images(start, batch)}, batch)
            loss = torch.stack(d["losses"]).mean() * self.network.loss_scale
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        DiscreteDistributionOutput.try_split_all(self.optimizer)


class EncodeJob(NetworkJob):
    """The nearest codes of all images."""

    def check(self) -> None:
        self.check_reconstruction()

    def run(self) -> None:
        for start in range(0, self.work["images"], ENCODING_BATCH):
            images = self.images(start, ENCODING_BATCH)
            with torch.no_grad(), self.autocast:
                self.network({"target": images}, len(images))


class GenerateJob(NetworkJob):
    """The images of given codes."""

    def __init__(self, case: Case, work: dict, autocast: AbstractContextManager) -> None:
        super().__init__(case, work, autocast)
        self.network.eval()
        self.codes = case.input["codes"].cpu().numpy()  # sddn needs codes on the host.

    def generate(self) -> Tensor:
        """[B, C, H, W]"""
        with torch.no_grad():
            return self.network({"idx_ks": list(self.codes)}, self.codes.shape[1])["predict"]

    def check(self) -> None:
        check_close("images", self.case.expected["images"], self.generate())

    def run(self) -> None:
        with self.autocast:
            self.generate()


def scores_of_guide(guide: str, target: Tensor) -> Callable[[Tensor], Tensor]:
    """The errors of one image's K candidates [K, C, h, w] for a guide of `ddn guide`, as the original's samplers compute them.

    Args: target: [C, H, W].
    """
    name, _, value = guide.partition(":")
    height, width = target.shape[1:]

    def resized(images: Tensor, *size: int) -> Tensor:
        return torch.nn.functional.interpolate(images, size, mode="area")

    if name == "sr":
        low = resized(target[None], height // int(value), width // int(value))
        return lambda rgbs: (resized(rgbs, *low.shape[2:]) - low).square().mean((1, 2, 3))
    if name == "mask":
        assert value == "top"
        mask = torch.zeros(height, width, device=target.device)
        mask[: height // 2] = 1
        known = target * mask
        return lambda rgbs: (
            ((resized(rgbs, height, width) - known).square() * mask).sum((2, 3)).mean(1) / (mask.sum() + 1e-5)
        )
    if name == "gray":
        gray = target.mean(0, keepdim=True)[None]
        return lambda rgbs: (rgbs.mean(1, keepdim=True) - resized(gray, *rgbs.shape[2:])).square().mean((1, 2, 3))
    assert name == "l1"
    return lambda rgbs: (rgbs - resized(target[None], *rgbs.shape[2:])).abs().mean((1, 2, 3))


class GuideJob(NetworkJob):
    """Guided generation: every candidate is scored, one image of the batch after the other."""

    def __init__(self, case: Case, work: dict, guide: str, autocast: AbstractContextManager) -> None:
        super().__init__(case, work, autocast)
        self.network.eval()
        self.guide = guide

    def generate(self, errors: list[Tensor] | None = None) -> dict:
        """Appends each level's errors [B, K] to `errors`."""
        images = self.images(0, self.work["batch"])
        guides = [scores_of_guide(self.guide, target) for target in images]

        def sampler(d: dict) -> Tensor:
            rows = [guide(rgbs) for guide, rgbs in zip(guides, d["output"])]
            choices = [int(torch.softmax(-row, 0).argmax()) if errors is None else int(row.argmin()) for row in rows]
            if errors is not None:
                errors.append(torch.stack(rows))
            return torch.tensor(choices, device=images.device)

        with torch.no_grad():
            return self.network({"sampler": sampler}, len(images))

    def check(self) -> None:
        errors: list[Tensor] = []
        d = self.generate(errors)
        same = check_codes(self.case.expected["codes"], torch.stack(d["idx_ks"]).cpu(), [e.cpu() for e in errors])
        check_close("images", self.case.expected["images"][same[-1]], d["predict"][same[-1]])

    def run(self) -> None:
        with self.autocast:
            self.generate()


class CodingJob:
    """Codes saved as the original does, and loaded again."""

    def __init__(self, case: Case) -> None:
        self.codes = case.input["codes"].T.to(torch.int16).contiguous().cpu()  # [images, L]

    def run(self) -> Tensor:
        file = io.BytesIO()
        torch.save(self.codes, file)
        file.seek(0)
        return torch.load(file)

    def check(self) -> None:
        assert torch.equal(self.run(), self.codes)


def make_job(case: Case, autocast: AbstractContextManager) -> Job:
    """The job of the case's row."""
    [(kind, work)] = case.row["work"].items()
    if kind == "layer":
        return LayerJob(case, work, autocast)
    if kind == "process":
        return GenerateJob(case, work["network"], autocast)
    if kind == "guide":
        return GuideJob(case, work["network"], work["guide"], autocast)
    if kind == "density":
        return DensityJob(case, work)
    if kind == "coding":
        return CodingJob(case)
    jobs = {"train": TrainJob, "encode": EncodeJob, "generate": GenerateJob}
    return jobs[work["job"]](case, work, autocast)
