"""The ways of finding a pixel's value between the pixels of a picture."""

from __future__ import annotations

from enum import Enum


class InterpolationMode(Enum):
    """How resizing and rotating interpolate. BOX, HAMMING and LANCZOS are for Pillow images only."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


# Pillow's own numbers, which older programs pass in place of a mode.
_PILLOW_NUMBERS = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
    InterpolationMode.NEAREST_EXACT: 0,
}


def as_mode(interpolation: InterpolationMode | int) -> InterpolationMode:
    """Return the mode, also for one of Pillow's numbers."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    for mode, number in _PILLOW_NUMBERS.items():
        if number == interpolation and isinstance(interpolation, int):
            return mode
    raise TypeError("Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant")


def pillow_number(mode: InterpolationMode) -> int:
    """Return Pillow's number of the mode."""
    return _PILLOW_NUMBERS[mode]
