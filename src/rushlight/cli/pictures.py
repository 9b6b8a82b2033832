"""The pictures to train on: a data set by name or a folder, as three parts (training, validation, test)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import UsageError

NAMES = ("digits", "mnist", "fashion-mnist", "cifar10")
_MEAN_STD = {
    "digits": ((0.3054,), (0.3763,)),
    "mnist": ((0.1307,), (0.3081,)),
    "fashion-mnist": ((0.2860,), (0.3530,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}


@dataclass
class Pictures:
    """The parts of a data set and what a model must know of it."""

    train: Any
    validation: Any
    test: Any
    classes: list[str]
    description: dict[str, Any]  # name, channels, size, mean, std: enough to prepare a new picture the same way


def transform(description: dict[str, Any], training: bool = False) -> Any:
    """From a PIL picture to a normalised tensor (channels, size, size)."""
    from ..vision import transforms as T

    steps: list[Any] = []
    size = description["size"]
    if description["channels"] == 1:
        steps.append(T.Grayscale())
    else:
        steps.append(T.Lambda(lambda picture: picture.convert("RGB")))
    steps.append(T.Resize((size, size)))
    if training and description["augment"] == "crop":
        steps.append(T.RandomCrop(size, padding=max(size // 8, 1)))
    if training and description["flip"]:
        steps.append(T.RandomHorizontalFlip())
    steps += [T.ToTensor(), T.Normalize(description["mean"], description["std"])]
    return T.Compose(steps)


def load(name: str, root: str, image_size: int | None, seed: int) -> Pictures:
    """The data set `name`, downloaded to `root` if need be, or the folder `name`."""
    from ..vision import datasets as D

    if name in NAMES:
        channels, size = (3, 32) if name == "cifar10" else (1, 8 if name == "digits" else 28)
        mean, std = _MEAN_STD[name]
        description = {
            "name": name, "channels": channels, "size": size, "mean": list(mean), "std": list(std),
            "augment": "crop" if name == "cifar10" else "none", "flip": name in ("cifar10", "fashion-mnist"),
        }  # fmt: skip
        kinds = {"digits": D.Digits, "mnist": D.MNIST, "fashion-mnist": D.FashionMNIST, "cifar10": D.CIFAR10}
        kind: Any = kinds[name]
        download = {} if name == "digits" else {"download": not _present(kind, root)}
        train = kind(root, train=True, **download)
        test = kind(root, train=False, **download)
        classes = list(train.classes)
    else:
        folder = Path(name)
        if not folder.is_dir():
            raise UsageError(f"--data {name}: neither one of {', '.join(NAMES)} nor a folder")
        size = image_size or 64
        description = {
            "name": str(folder), "channels": 3, "size": size, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
            "augment": "crop", "flip": True,
        }  # fmt: skip
        if (folder / "train").is_dir():
            train = D.ImageFolder(folder / "train")
            held = next((folder / part for part in ("test", "val") if (folder / part).is_dir()), None)
            test = D.ImageFolder(held) if held is not None else None
        else:
            train, test = D.ImageFolder(folder), None
        classes = list(train.classes)
        if test is None:
            train, test = _split(train, 0.15, seed + 1)
    train, validation = _split(train, 0.1, seed)
    return Pictures(
        Prepared(train, transform(description, training=True)), Prepared(validation, transform(description)),
        Prepared(test, transform(description)), classes, description,
    )  # fmt: skip


def _present(kind: Any, root: str) -> bool:
    """Whether a data set lies under `root` already."""
    try:
        kind(root, train=True, download=False)
    except RuntimeError:
        return False
    return True


def _split(data: Any, share: float, seed: int) -> tuple[Any, Any]:
    """A part of the data held out, the same for the same seed."""
    from .. import Generator
    from ..utils.data import random_split

    held = max(int(len(data) * share), 1)
    first, second = random_split(data, [len(data) - held, held], generator=Generator().manual_seed(seed))
    return first, second


class Prepared:
    """A data set of pictures as one of tensors; without augmentation each picture is prepared once and kept."""

    def __init__(self, pictures: Any, prepare: Any) -> None:
        self.pictures, self.prepare = pictures, prepare
        steps = getattr(prepare, "transforms", [])
        self._random = any(type(step).__name__.startswith("Random") for step in steps)
        self._kept: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Any:
        found = self._kept.get(index)
        if found is None:
            picture, label = self.pictures[index]
            found = (self.prepare(picture), int(label))
            if not self._random and len(self) <= 100_000:
                self._kept[index] = found
        return found
