"""Spatial transformers: `affine_grid` makes sampling positions, `grid_sample` reads a picture at them.

Jaderberg et al., Spatial Transformer Networks, 2015 (https://arxiv.org/abs/1506.02025).
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from ... import ops
from ...settings import warn

GRID_SAMPLE_INTERPOLATION_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
GRID_SAMPLE_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}


def affine_grid(theta: Any, size: Any, align_corners: bool | None = None) -> Any:
    """Sampling positions (N, H, W, 2) or (N, D, H, W, 3) for a batch of affine matrices."""
    if align_corners is None:
        warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
            "details.",
        )
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = tuple(size)
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size "
            f"{size}."
        )
    if theta.dim() != 3 or theta.shape[-2] != n or theta.shape[-1] != n + 1:
        raise ValueError(
            f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {size}. Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if align_corners and 1 in size[2:]:
        warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This "
            "is not an intended use case of affine_grid. See the documentation of affine_grid for details.",
        )
    axes = []
    for k in size[2:]:
        axis = ops.linspace(-1, 1, k, dtype=theta.dtype) if k > 1 else ops.zeros(1, dtype=theta.dtype)
        axes.append(axis if align_corners else axis * ((k - 1) / k))
    space = ops.meshgrid(*axes, indexing="ij")
    base = ops.stack([*reversed(space), ops.ones_like(space[0])], dim=-1).reshape(1, -1, n + 1)
    grid = base.expand(size[0], *base.shape[1:]) @ theta.transpose(1, 2)
    return grid.reshape(size[0], *size[2:], n)


def grid_sample(
    input: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:  # fmt: skip
    """Read `input` (N, C, [D,] H, W) at the positions `grid` (N, ..., 2 or 3), which run from -1 to 1.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.grid_sample.html
    """
    if mode not in GRID_SAMPLE_INTERPOLATION_MODES:
        raise ValueError(
            f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'"
        )
    if padding_mode not in GRID_SAMPLE_PADDING_MODES:
        raise ValueError(
            "nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
            f"'{padding_mode}'"
        )
    if align_corners is None:
        warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please "
            "specify align_corners=True if the old behavior is desired. See the documentation of grid_sample for "
            "details.",
        )
    _check(input, grid, mode)
    align = bool(align_corners)
    sizes = tuple(input.shape[2:])
    n = len(sizes)
    # Positions in elements, one tensor (N, points) a dimension; the grid's last axis counts from the innermost one.
    points = math.prod(grid.shape[1:-1])
    flat = grid.reshape(grid.size(0), points, n)
    where = [_unnormalize(flat[..., n - 1 - i], sizes[i], align) for i in range(n)]
    source = input.reshape(*input.shape[:2], math.prod(sizes))
    if mode == "bicubic":
        result = _bicubic(source, where, sizes, padding_mode, align)
    else:
        where = [_inside(w, k, padding_mode, align) for w, k in zip(where, sizes, strict=True)]
        if mode == "nearest":
            result = _read(source, [w.detach().round() for w in where], sizes)
        else:
            result = _linear(source, where, sizes)
    return result.reshape(*input.shape[:2], *grid.shape[1:-1])


def _check(input: Any, grid: Any, mode: str) -> None:
    if input.dtype != grid.dtype:
        raise RuntimeError(
            "grid_sampler(): expected input and grid to have same dtype, but input has "
            f"{input.dtype.scalar_name.lower()} and grid has {grid.dtype.scalar_name.lower()}"
        )
    n = input.dim() - 2
    if input.size(0) != grid.size(0):
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    if grid.size(-1) != n:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {n} in last dimension, but got grid with sizes "
            f"{list(grid.shape)}"
        )
    if n not in (2, 3) or grid.dim() != input.dim():
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
            f"{list(input.shape)} and grid with sizes {list(grid.shape)}"
        )
    for i, k in enumerate(input.shape[2:]):
        if k <= 0:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes "
                f"{list(input.shape)} with dimension {i + 2} being empty"
            )
    if n == 3 and mode == "bicubic":
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _unnormalize(w: Any, k: int, align: bool) -> Any:
    return (w + 1) * ((k - 1) / 2) if align else ((w + 1) * k - 1) / 2


def _inside(w: Any, k: int, padding_mode: str, align: bool) -> Any:
    """Move positions outside of 0 … k - 1 inside, as the padding mode says."""
    if padding_mode == "zeros":
        return w
    if padding_mode == "reflection":
        w = _reflect(w, 0.0, float(k - 1)) if align else _reflect(w, -0.5, k - 0.5)
    return w.clamp(0, k - 1)


def _reflect(w: Any, low: float, high: float) -> Any:
    if low == high:
        return w * 0
    span = high - low
    distance = (w - low).abs()
    flips = (distance / span).detach().floor()
    rest = distance - flips * span
    return ops.where(flips % 2 == 0, rest + low, span - rest + low)


def _read(source: Any, where: list[Any], sizes: tuple[int, ...]) -> Any:
    """The elements (N, C, points) at whole positions, 0 outside."""
    flat: Any = 0
    valid: Any = True
    for w, k in zip(where, sizes, strict=True):
        valid = (w >= 0) & (w <= k - 1) & valid
        flat = flat * k + w.clamp(0, k - 1).long()
    n, c, _ = source.shape
    values = source.gather(2, flat.unsqueeze(1).expand(n, c, flat.size(1)))
    return values * valid.unsqueeze(1).to(source.dtype)


def _linear(source: Any, where: list[Any], sizes: tuple[int, ...]) -> Any:
    lows = [w.detach().floor() for w in where]
    fractions = [w - low for w, low in zip(where, lows, strict=True)]
    total: Any = None
    for corner in itertools.product((0, 1), repeat=len(sizes)):
        weight: Any = 1
        for high, t in zip(corner, fractions, strict=True):
            weight = weight * (t if high else 1 - t)
        part = _read(source, [low + high for low, high in zip(lows, corner, strict=True)], sizes)
        part = part * weight.unsqueeze(1)
        total = part if total is None else total + part
    return total


def _bicubic(source: Any, where: list[Any], sizes: tuple[int, ...], padding_mode: str, align: bool) -> Any:
    lows = [w.detach().floor() for w in where]
    weights = [_cubic_weights(w - low) for w, low in zip(where, lows, strict=True)]
    total: Any = None
    for i, j in itertools.product(range(4), repeat=2):
        taps = [
            _inside(low + k - 1, size, padding_mode, align).round()
            for low, k, size in zip(lows, (i, j), sizes, strict=True)
        ]
        part = _read(source, taps, sizes) * (weights[0][i] * weights[1][j]).unsqueeze(1)
        total = part if total is None else total + part
    return total


def _cubic_weights(t: Any) -> list[Any]:
    """Keys' kernel with a = -0.75 at the four taps around a position with fraction `t`."""
    a = -0.75

    def near(x: Any) -> Any:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Any) -> Any:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]
