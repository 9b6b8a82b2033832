"""Transforms that change values and leave pixels where they are; random ones draw in the order of torchvision's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import rushlight
from rushlight.autograd.tensor import Tensor
from rushlight.nn import Module
from rushlight.settings import warn

from . import functional as F
from .draws import integer, uniform

Range = tuple[float, float]


def _factors(value: float | Sequence[float], name: str, center: float, low: float, high: float) -> Range | None:
    """Return the range to draw a factor from, or None where it could only be `center`."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be non negative.")
        ends = [center - float(value), center + float(value)]
        if name != "hue":
            ends[0] = max(ends[0], 0.0)
    elif isinstance(value, Sequence) and len(value) == 2:
        ends = [float(value[0]), float(value[1])]
    else:
        raise TypeError(f"{name} should be a single number or a list/tuple with length 2.")
    if not low <= ends[0] <= ends[1] <= high:
        raise ValueError(f"{name} values should be between {(low, high)}, but got {ends}.")
    return None if ends[0] == ends[1] == center else (ends[0], ends[1])


class ColorJitter(Module):
    """Change brightness, contrast, saturation and hue by random factors, in a random order.

    Each is a range, or one number: 1 - it to 1 + it (for the hue, -it to it, at most 0.5).
    """

    def __init__(
        self,
        brightness: float | Sequence[float] = 0,
        contrast: float | Sequence[float] = 0,
        saturation: float | Sequence[float] = 0,
        hue: float | Sequence[float] = 0,
    ) -> None:
        super().__init__()
        self.brightness = _factors(brightness, "brightness", 1, 0, float("inf"))
        self.contrast = _factors(contrast, "contrast", 1, 0, float("inf"))
        self.saturation = _factors(saturation, "saturation", 1, 0, float("inf"))
        self.hue = _factors(hue, "hue", 0, -0.5, 0.5)

    @staticmethod
    def get_params(
        brightness: Range | None, contrast: Range | None, saturation: Range | None, hue: Range | None
    ) -> tuple[Tensor, float | None, float | None, float | None, float | None]:
        """Draw the order, then the factors."""
        order = rushlight.randperm(4)
        b, c, s, h = (None if ends is None else uniform(*ends) for ends in (brightness, contrast, saturation, hue))
        return order, b, c, s, h

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        steps = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in order.tolist():
            factor = factors[i]
            if factor is not None:
                img = steps[i](img, factor)
        return img

    def __repr__(self) -> str:
        ranges = ", ".join(f"{name}={getattr(self, name)}" for name in ("brightness", "contrast", "saturation", "hue"))
        return f"{type(self).__name__}({ranges})"


class Grayscale(Module):
    """Turn into grey, in one channel or three equal ones."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomGrayscale(Module):
    """Turn into grey with probability `p`; the number of channels stays."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        channels = F.get_image_num_channels(img)
        return F.rgb_to_grayscale(img, channels) if rushlight.rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class GaussianBlur(Module):
    """Blur by a normal density whose width is drawn from the range `sigma`; see `F.gaussian_blur`."""

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        sizes = [kernel_size] if isinstance(kernel_size, int) else list(kernel_size)
        self.kernel_size = tuple((sizes * 2)[:2])
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError("Kernel size value should be an odd and positive number.")
        if isinstance(sigma, (int, float)) and sigma <= 0:
            raise ValueError("If sigma is a single number, it must be positive.")
        self.sigma = (float(sigma), float(sigma)) if isinstance(sigma, (int, float)) else tuple(sigma)
        if not 0.0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"sigma values should be positive and of the form (min, max). Got {self.sigma}")

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """Draw the width."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class _ByChance(Module):
    """Apply `change` with probability `p`; `detail` names the attribute that it takes and the repr shows."""

    change: Callable[..., Any]
    detail: str | None = None

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        arguments = () if self.detail is None else (getattr(self, self.detail),)
        return type(self).change(img, *arguments) if rushlight.rand(1) < self.p else img

    def __repr__(self) -> str:
        detail = "" if self.detail is None else f"{self.detail}={getattr(self, self.detail)},"
        return f"{type(self).__name__}({detail}p={self.p})"


class RandomInvert(_ByChance):
    """Turn into the negative with probability `p`."""

    change = staticmethod(F.invert)


class RandomAutocontrast(_ByChance):
    """Stretch each channel to the whole range with probability `p`."""

    change = staticmethod(F.autocontrast)


class RandomEqualize(_ByChance):
    """Make each channel's histogram flat with probability `p`."""

    change = staticmethod(F.equalize)


class RandomPosterize(_ByChance):
    """Keep only the highest bits with probability `p`."""

    change = staticmethod(F.posterize)
    detail = "bits"

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits


class RandomSolarize(_ByChance):
    """Invert the values from `threshold` on with probability `p`."""

    change = staticmethod(F.solarize)
    detail = "threshold"

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold


class RandomAdjustSharpness(_ByChance):
    """Sharpen or blur by a factor with probability `p`."""

    change = staticmethod(F.adjust_sharpness)
    detail = "sharpness_factor"

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor


class RandomErasing(Module):
    """Overwrite a random rectangle of a tensor with probability `p`, by `value` or by noise (`value="random"`).

    Z. Zhong et al., "Random Erasing Data Augmentation", arXiv:1708.04896.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | Sequence[float] | str = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (int, float, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        if not isinstance(scale, Sequence):
            raise TypeError("Scale should be a sequence")
        if not isinstance(ratio, Sequence):
            raise TypeError("Ratio should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warn("Scale and ratio should be of kind (min, max)")
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if p < 0 or p > 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Sequence[float], ratio: Sequence[float], value: Sequence[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Draw top, left, height and width, and the new values; after ten misfits the picture as it is."""
        channels, height, width = img.shape[-3:]
        low, high = rushlight.log(rushlight.tensor(ratio)).tolist()
        for _ in range(10):
            area = height * width * uniform(*scale)
            aspect = float(rushlight.exp(rushlight.empty(1).uniform_(low, high)))
            tall, wide = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if not (tall < height and wide < width):
                continue
            if value is None:
                filling = rushlight.empty([channels, tall, wide], dtype=rushlight.float32).normal_()
            else:
                filling = rushlight.tensor(value)[:, None, None]
            return integer(height - tall + 1), integer(width - wide + 1), tall, wide, filling
        return 0, 0, height, width, img

    def forward(self, img: Tensor) -> Tensor:
        if not rushlight.rand(1) < self.p:
            return img
        value = self.value
        levels = [float(value)] if isinstance(value, (int, float)) else None if isinstance(value, str) else list(value)
        if levels is not None and len(levels) not in (1, img.shape[-3]):
            raise ValueError(
                "If value is a sequence, it should have either a single value or "
                f"{img.shape[-3]} (number of input channels)"
            )
        top, left, tall, wide, filling = self.get_params(img, self.scale, self.ratio, levels)
        return F.erase(img, top, left, tall, wide, filling, self.inplace)

    def __repr__(self) -> str:
        detail = f"scale={self.scale}, ratio={self.ratio}, value={self.value}, inplace={self.inplace}"
        return f"{type(self).__name__}(p={self.p}, {detail})"
