"""The pictures to train on: a data set by name or a folder, as three parts (training, validation, test)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import UsageError

SIZES = {"digits": 8, "mnist": 28, "fashion-mnist": 28, "cifar10": 32}
MEAN_STD = {
    "digits": ((0.3054,), (0.3763,)),
    "mnist": ((0.1307,), (0.3081,)),
    "fashion-mnist": ((0.2860,), (0.3530,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "folder": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
KEPT = 2**29  # bytes of prepared pictures to keep in memory, for each part


@dataclass
class Pictures:
    """The parts of a data set and what a model must know of it."""

    train: Prepared
    validation: Prepared
    test: Prepared
    classes: list[str]
    description: dict[str, Any]  # channels, size, mean, std: enough to prepare a new picture the same way


def load(name: str, root: str, image_size: int | None, seed: int) -> Pictures:
    """The data set `name`, downloaded to `root` if need be, or the folder `name`."""
    train, test = _named(name, root) if name in SIZES else _folder(name)
    if not len(train):
        raise UsageError(f"--data {name}: there are no pictures")
    classes = list(train.classes)
    if test is None:
        train, test = _split(train, 0.15, seed + 1)
    train, validation = _split(train, 0.1, seed)
    if not len(train):
        raise UsageError(f"--data {name}: too few pictures, some are needed to train, to validate and to test")
    mean, std = MEAN_STD[name if name in SIZES else "folder"]
    size = image_size or SIZES.get(name, 64)
    description = {"channels": len(mean), "size": size, "mean": list(mean), "std": list(std)}
    return Pictures(
        Prepared(train, description, seed, changes(name, size)), Prepared(validation, description),
        Prepared(test, description), classes, description,
    )  # fmt: skip


def _named(name: str, root: str) -> tuple[Any, Any]:
    from ..vision import datasets as D

    if name == "digits":
        return D.Digits(train=True), D.Digits(train=False)
    kind: Any = {"mnist": D.MNIST, "fashion-mnist": D.FashionMNIST, "cifar10": D.CIFAR10}[name]
    try:
        return kind(root, train=True), kind(root, train=False)
    except RuntimeError:  # not there yet
        pass
    try:
        return kind(root, train=True, download=True), kind(root, train=False)
    except RuntimeError as error:
        raise UsageError(f"--data {name}: " + "; ".join(line.strip() for line in str(error).splitlines())) from None


def _folder(name: str) -> tuple[Any, Any]:
    from ..vision import datasets as D

    folder = Path(name)
    if not folder.is_dir():
        raise UsageError(f"--data {name}: neither one of {', '.join(SIZES)} nor a folder")
    try:
        if not (folder / "train").is_dir():
            return D.ImageFolder(folder), None
        train = D.ImageFolder(folder / "train")
        held = next((folder / part for part in ("test", "val") if (folder / part).is_dir()), None)
        test = D.ImageFolder(held) if held is not None else None
    except FileNotFoundError as error:
        raise UsageError(f"--data {name}: {str(error).strip()}") from None
    if test is not None and test.classes != train.classes:
        raise UsageError(f"--data {name}: {held} has other classes than {folder / 'train'}")
    return train, test


def _split(data: Any, share: float, seed: int) -> tuple[Any, Any]:
    """A part of the data held out, the same for the same seed."""
    from .. import Generator
    from ..utils.data import random_split

    held = max(int(len(data) * share), 1)
    first, second = random_split(data, [len(data) - held, held], generator=Generator().manual_seed(seed))
    return first, second


def changes(name: str, size: int) -> list[Any]:
    """The random changes that training pictures of this data go through."""
    from ..vision import transforms as T

    crop, flip = T.RandomCrop(size, padding=max(size // 8, 1)), T.RandomHorizontalFlip()
    return {"digits": [], "mnist": [], "fashion-mnist": [flip]}.get(name, [crop, flip])


class Prepared:
    """A data set of PIL pictures as one of normalised tensors (channels, size, size).

    The random changes of a picture depend on the seed, the epoch and its index alone: not on the number of workers,
    nor on what was loaded before it. Without any, a picture is prepared once and kept.
    """

    epoch = 0

    def __init__(
        self, pictures: Any, description: dict[str, Any], seed: int = 0, changes: list[Any] | None = None
    ) -> None:
        from ..vision import transforms as T

        size, channels = description["size"], description["channels"]
        self.pictures, self.seed, self.changes = pictures, seed, changes or []
        self.mode = "L" if channels == 1 else "RGB"
        self.resize = T.Resize((size, size))
        self.finish = T.Compose([T.ToTensor(), T.Normalize(description["mean"], description["std"])])
        self._most = 0 if self.changes else KEPT // (4 * channels * size * size)
        self._kept: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        found = self._kept.get(index)
        if found is None:
            picture, label = self.picture(index)
            found = self.tensor(self._changed(picture, index)), int(label)
            if len(self._kept) < self._most:
                self._kept[index] = found
        return found

    def picture(self, index: int) -> tuple[Any, int]:
        """The PIL picture itself and its label."""
        try:
            found: tuple[Any, int] = self.pictures[index]
        except (OSError, SyntaxError, ValueError) as error:  # all of which Pillow raises for damaged files
            raise UsageError(f"cannot read a picture: {error}") from None
        return found

    def _changed(self, picture: Any, index: int) -> Any:
        from .. import manual_seed
        from ..random import fork_rng

        picture = self.sized(picture)
        if self.changes:
            with fork_rng():
                manual_seed(hash((self.seed, self.epoch, index)) & 0xFFFFFFFF)
                for change in self.changes:
                    picture = change(picture)
        return picture

    def sized(self, picture: Any) -> Any:
        """A PIL picture in the mode and size that the network takes."""
        return self.resize(picture if picture.mode == self.mode else picture.convert(self.mode))

    def tensor(self, picture: Any) -> Any:
        """A sized PIL picture as a tensor."""
        return self.finish(picture)
