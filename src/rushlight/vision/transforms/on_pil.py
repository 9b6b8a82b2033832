"""The transforms on Pillow images; `functional` checks the arguments and calls these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..pillow import pillow
from .interpolation import InterpolationMode, pillow_number

Fill = float | Sequence[float] | None


def dimensions(image: Any) -> list[int]:
    """Return channels, height, width."""
    width, height = image.size
    return [len(image.getbands()), height, width]


def colour(fill: Fill, image: Any) -> Any:
    """Return `fill` as Pillow wants it: one number a band, whole ones unless the image is of floats."""
    bands = len(image.getbands())
    values = list(fill) if isinstance(fill, Sequence) else [fill or 0] * bands
    if len(values) == 1:
        values = values * bands
    if len(values) != bands:
        raise ValueError(
            "The number of elements in 'fill' does not match the number of channels of the image "
            f"({len(values)} != {bands})"
        )
    whole = values if image.mode == "F" else [int(value) for value in values]
    return tuple(whole) if bands > 1 else whole[0]


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    return image.crop((left, top, left + width, top + height))


def hflip(image: Any) -> Any:
    return image.transpose(pillow().Transpose.FLIP_LEFT_RIGHT)


def vflip(image: Any) -> Any:
    return image.transpose(pillow().Transpose.FLIP_TOP_BOTTOM)


def resize(image: Any, height: int, width: int, mode: InterpolationMode, antialias: bool) -> Any:
    # Pillow always filters when it makes a picture smaller; there is no way to ask it not to.
    return image.resize((width, height), pillow_number(mode))


def pad(image: Any, left: int, top: int, right: int, bottom: int, fill: Fill, mode: str) -> Any:
    if mode == "constant":
        filled = colour(fill, image)
        padded = pillow("ImageOps").expand(image, border=(left, top, right, bottom), fill=filled)
        if image.mode == "P":
            padded.putpalette(image.getpalette())
        return padded
    if min(left, top, right, bottom) < 0:
        _, height, width = dimensions(image)
        image = crop(
            image,
            -min(top, 0),
            -min(left, 0),
            height + min(top, 0) + min(bottom, 0),
            width + min(left, 0) + min(right, 0),
        )
        left, top, right, bottom = (max(side, 0) for side in (left, top, right, bottom))
    a = np.asarray(image)
    sides = ((top, bottom), (left, right), (0, 0))[: a.ndim]
    padded = pillow().fromarray(np.pad(a, sides, mode))  # type: ignore[call-overload]
    if image.mode == "P":
        padded.putpalette(image.getpalette())
    return padded


def rotate(
    image: Any, angle: float, mode: InterpolationMode, expand: bool, center: Sequence[float] | None, fill: Fill
) -> Any:
    return image.rotate(angle, pillow_number(mode), expand, center, fillcolor=colour(fill, image))


def affine(image: Any, matrix: Sequence[float], mode: InterpolationMode, fill: Fill) -> Any:
    way = pillow().Transform.AFFINE
    return image.transform(image.size, way, matrix, pillow_number(mode), fillcolor=colour(fill, image))


def perspective(image: Any, coefficients: Sequence[float], mode: InterpolationMode, fill: Fill) -> Any:
    way = pillow().Transform.PERSPECTIVE
    return image.transform(image.size, way, coefficients, pillow_number(mode), fillcolor=colour(fill, image))


def rgb_to_grayscale(image: Any, channels: int) -> Any:
    if channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    grey = image.convert("L")
    return grey if channels == 1 else pillow().merge("RGB", [grey] * 3)


def adjust_brightness(image: Any, factor: float) -> Any:
    return pillow("ImageEnhance").Brightness(image).enhance(factor)


def adjust_contrast(image: Any, factor: float) -> Any:
    return pillow("ImageEnhance").Contrast(image).enhance(factor)


def adjust_saturation(image: Any, factor: float) -> Any:
    return pillow("ImageEnhance").Color(image).enhance(factor)


def adjust_sharpness(image: Any, factor: float) -> Any:
    return pillow("ImageEnhance").Sharpness(image).enhance(factor)


def adjust_hue(image: Any, factor: float) -> Any:
    if image.mode in ("L", "1", "I", "F"):
        return image
    hue, saturation, value = image.convert("HSV").split()
    # The hue is a circle of 256 steps, so a byte's wrapping is what is wanted.
    shifted = (np.asarray(hue).astype(np.int32) + int(factor * 255)).astype(np.uint8)
    return pillow().merge("HSV", (pillow().fromarray(shifted), saturation, value)).convert(image.mode)


def adjust_gamma(image: Any, gamma: float, gain: float) -> Any:
    table = [int((255 + 1 - 1e-3) * gain * (level / 255.0) ** gamma) for level in range(256)] * 3
    return image.convert("RGB").point(table).convert(image.mode)


def invert(image: Any) -> Any:
    return pillow("ImageOps").invert(image)


def posterize(image: Any, bits: int) -> Any:
    return pillow("ImageOps").posterize(image, bits)


def solarize(image: Any, threshold: float) -> Any:
    return pillow("ImageOps").solarize(image, threshold)


def autocontrast(image: Any) -> Any:
    return pillow("ImageOps").autocontrast(image)


def equalize(image: Any) -> Any:
    return pillow("ImageOps").equalize(image)
