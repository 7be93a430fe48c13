"""Measures the class accuracy of generated images with a classifier.

`ddn generate` conditions seed n on class n modulo the number of classes. A small convolutional classifier is trained on
a data set, tested on another, and applied to the generated images:

  ddn generate --network cifar10 --prior none --seeds 0-1999 --outdir samples
  scripts/bench obedience cifar10-train.zip cifar10-test.zip samples
"""

import argparse
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

BATCH = 128


def tensor_of(images: list[Image.Image]) -> Tensor:
    """[N, C, H, W] in [-1, 1]."""
    pixels = np.stack([np.atleast_3d(np.asarray(image)) for image in images])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def read_zip(path: Path) -> tuple[Tensor, Tensor]:
    """Images and classes of a data set of `ddn dataset convert`."""
    with zipfile.ZipFile(path) as archive:
        labels = json.loads(archive.read("dataset.json"))["labels"]
        if not labels:
            raise SystemExit(f"{path}: has no classes; use a labelled data set")
        images = [Image.open(io.BytesIO(archive.read(name))) for name, _ in labels]
        return tensor_of(images), torch.tensor([label for _, label in labels])


def read_samples(folder: Path, classes: int) -> tuple[Tensor, Tensor]:
    """Images of `ddn generate --seeds` and the classes they are conditioned on."""
    files = sorted(file for file in folder.rglob("*.png") if re.fullmatch(r"\d{6,}", file.stem))
    if not files:
        raise SystemExit(f"{folder}: has no images; run ddn generate --seeds")
    images = []
    for file in files:
        with Image.open(file) as image:
            images.append(image.copy())
    return tensor_of(images), torch.tensor([int(file.stem) % classes for file in files])


def make_classifier(channels: int, side: int, classes: int) -> nn.Module:
    """3x3 convolutions of 32, 64 and 128 channels, two per resolution, down to 4x4 or less."""
    layers: list[nn.Module] = []
    width = 32
    while side > 4:
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
        side, width = side // 2, min(2 * width, 128)
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(channels * side * side, classes))


def train(classifier: nn.Module, images: Tensor, labels: Tensor, epochs: int) -> None:
    """Adam with a one-cycle schedule and random mirroring."""
    optimizer = torch.optim.Adam(classifier.parameters(), weight_decay=1e-5)
    steps = epochs * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    classifier.train()
    for epoch in range(epochs):
        for indices in torch.randperm(len(images)).split(BATCH)[: len(images) // BATCH]:
            batch = images[indices]
            mirrored = torch.rand(len(batch), 1, 1, 1) < 0.5
            loss = cross_entropy(classifier(torch.where(mirrored, batch.flip(3), batch)), labels[indices])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {epochs}: loss {loss.item():.3f}", flush=True)


@torch.no_grad()
def predict(classifier: nn.Module, images: Tensor) -> Tensor:
    """[N] predicted classes."""
    classifier.eval()
    return torch.cat([classifier(batch).argmax(1) for batch in images.split(BATCH)])


def report(name: str, predicted: Tensor, labels: Tensor) -> None:
    """Prints the accuracy, overall and by class."""
    correct = predicted == labels
    by_class = " ".join(f"{100 * correct[labels == c].float().mean():.0f}" for c in labels.unique())
    print(f"{name}: accuracy {100 * correct.float().mean():.1f} % of {len(labels)}; by class: {by_class}")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench obedience", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path, help="labelled training set, a zip file")
    parser.add_argument("test", type=Path, help="labelled test set, a zip file")
    parser.add_argument("samples", type=Path, nargs="+", help="output folder of ddn generate")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--classifier", type=Path, help="file to load the classifier from, or to save it to")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    test_images, test_labels = read_zip(options.test)
    classes = int(test_labels.max()) + 1
    classifier = make_classifier(test_images.shape[1], test_images.shape[2], classes)
    if options.classifier and options.classifier.exists():
        classifier.load_state_dict(torch.load(options.classifier, weights_only=True))
    else:
        train(classifier, *read_zip(options.train), options.epochs)
        if options.classifier:
            torch.save(classifier.state_dict(), options.classifier)
    report("test images", predict(classifier, test_images), test_labels)
    for folder in options.samples:
        images, labels = read_samples(folder, classes)
        report(str(folder), predict(classifier, images), labels)
    print(f"chance: {100 / classes:.1f} %")


if __name__ == "__main__":
    main()
