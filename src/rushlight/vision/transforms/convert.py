"""Transforms between Pillow images, arrays and tensors, and the scaling of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight.autograd.tensor import Tensor
from rushlight.nn import Module

from . import functional as F


class ToTensor:
    """Turn a Pillow image or array into a float tensor (channels, height, width) of 0 to 1; see `F.to_tensor`."""

    def __call__(self, pic: Any) -> Any:
        return F.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """Turn a Pillow image into a tensor (channels, height, width) of its own values."""

    def __call__(self, pic: Any) -> Any:
        return F.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """Turn a tensor or array into a Pillow image; see `F.to_pil_image`."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return F.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(Module):
    """Convert a tensor to another dtype and its values to that dtype's range."""

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Any:
        return F.convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """Subtract `mean` and divide by `std`, channel by channel.

    >>> from rushlight import ones
    >>> Normalize((0.5,), (0.25,))(ones(1, 1, 2))
    tensor([[[2., 2.]]])
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Tensor) -> Any:
        return F.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"
