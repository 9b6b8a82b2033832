"""Pictures of noise, for trying a program without data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rushlight

from ..transforms import ToPILImage
from .base import VisionDataset


class FakeData(VisionDataset):
    """Random pictures with random labels, the same for the same index; items are (Pillow image, label).

    The global generator is seeded with `index + random_offset` for each item and put back, so the values are PyTorch's.

    >>> image, label = FakeData(size=3, image_size=(3, 4, 5), num_classes=2)[0]
    >>> image.size, label in (0, 1)
    ((5, 4), True)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        state = rushlight.get_rng_state()
        rushlight.manual_seed(index + self.random_offset)
        noise = rushlight.randn(*self.image_size)
        target = rushlight.randint(0, self.num_classes, size=(1,), dtype=rushlight.int64)[0]
        rushlight.set_rng_state(state)
        return self._transformed(ToPILImage()(noise), int(target))

    def __len__(self) -> int:
        return self.size
