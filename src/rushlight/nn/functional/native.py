"""Functional operators under the names and with the numbered choices that they have in the `torch` namespace."""

from __future__ import annotations

from typing import Any

from .grid import affine_grid, grid_sample
from .pad import constant

_INTERPOLATIONS, _PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def constant_pad_nd(input: Any, pad: Any, value: Any = 0) -> Any:
    """`nn.functional.pad` with a constant."""
    pads = tuple(int(n) for n in pad)
    if len(pads) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pads)}")
    if len(pads) > 2 * input.dim():
        raise RuntimeError(
            "Length of pad should be no more than twice the number of dimensions of the input. Pad length is "
            f"{len(pads)}while the input has {input.dim()}dimensions."
        )
    return constant(input, pads, value)


def grid_sampler(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """`nn.functional.grid_sample`, its modes by number."""
    return grid_sample(input, grid, _INTERPOLATIONS[interpolation_mode], _PADDINGS[padding_mode], align_corners)


def grid_sampler_2d(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """`grid_sampler` of pictures."""
    if input.dim() != 4:
        raise RuntimeError(
            f"grid_sampler_2d(): expected 4D input and grid with same number of dimensions, but got input with sizes {list(input.shape)}"
        )
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def grid_sampler_3d(input: Any, grid: Any, interpolation_mode: int, padding_mode: int, align_corners: bool) -> Any:
    """`grid_sampler` of volumes."""
    if input.dim() != 5:
        raise RuntimeError(
            f"grid_sampler_3d(): expected 5D input and grid with same number of dimensions, but got input with sizes {list(input.shape)}"
        )
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


def affine_grid_generator(theta: Any, size: Any, align_corners: bool) -> Any:
    """`nn.functional.affine_grid`."""
    return affine_grid(theta, size, align_corners)
