"""The 8x8 handwritten digits of the UCI repository, embedded in the package: no download, no Pillow needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rushlight import from_numpy

from ..pillow import pillow
from ..transforms.functional import to_tensor
from .base import VisionDataset

FILE = Path(__file__).parent / "data" / "digits.npz"
TEST_EVERY = 5


class Digits(VisionDataset):
    """1,797 pictures of handwritten digits, 8x8 grey levels: 1,442 to train on and 355 to test on.

    Of each digit's pictures, in the order of the file, every fifth is a test picture: the same split everywhere, with
    all ten digits and all writers in both parts.

    `items="pil"` gives each picture as a Pillow image of mode "L", which `ToTensor` turns into what `items="tensor"`
    gives: a float32 tensor of shape (1, 8, 8), values 0 to 1. `root` and `download` are accepted for the sake of
    programs written for MNIST, and ignored. `data` is the uint8 tensor of all pictures (n, 8, 8), `targets` their
    labels.

    >>> image, label = Digits(train=False, items="tensor")[0]
    >>> tuple(image.shape), label
    ((1, 8, 8), 5)

    Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI, 1998, CC BY 4.0.
    """

    classes = [str(digit) for digit in range(10)]

    def __init__(
        self,
        root: str | Path | None = None,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
        *,
        items: Literal["pil", "tensor"] = "pil",
    ) -> None:
        if items not in ("pil", "tensor"):
            raise ValueError(f'items must be "pil" or "tensor", got {items!r}')
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        self.items = items
        with np.load(FILE) as file:
            levels, labels = file["images"], file["labels"]
        chosen = _is_test(labels) != train
        # The file's 17 levels, 0 to 16, spread over a byte.
        spread = np.rint(np.arange(17) * (255 / 16)).astype(np.uint8)
        self.data = from_numpy(spread[levels[chosen]])
        self.targets = from_numpy(labels[chosen].astype(np.int64))

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class's name."""
        return {name: label for label, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        a = self.data[index].numpy()
        image = pillow().fromarray(a) if self.items == "pil" else to_tensor(a)
        return self._transformed(image, int(self.targets[index]))

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


def _is_test(labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Mark every fifth picture of each digit."""
    chosen = np.zeros(len(labels), dtype=bool)
    for digit in range(10):
        chosen[np.flatnonzero(labels == digit)[TEST_EVERY - 1 :: TEST_EVERY]] = True
    return chosen
