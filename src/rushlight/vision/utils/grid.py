"""Contact sheets: many pictures of one size laid out in a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import rushlight
from rushlight.autograd.tensor import Tensor

from ..pillow import pillow


def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Any:
    """Return one picture (channels, height, width) of many: (n, channels, height, width), or a list of pictures.

    Rows hold `nrow` pictures, `padding` pixels apart. Grey pictures get three equal channels. `normalize` scales the
    values, from `value_range` or from those found (in each picture by itself with `scale_each`), to 0 to 1.

    >>> make_grid(rushlight.ones(10, 1, 8, 8), nrow=5).shape
    torch.Size([3, 22, 52])
    """
    if isinstance(tensor, Tensor):
        x = tensor
    elif isinstance(tensor, (list, tuple)) and all(isinstance(one, Tensor) for one in tensor):
        x = rushlight.stack(list(tensor), dim=0)
    else:
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    if x.ndim == 2:
        x = x.unsqueeze(0)
    if x.ndim == 3:
        x = x.unsqueeze(0)
    if x.ndim == 4 and x.shape[1] == 1:
        x = x.expand(-1, 3, -1, -1)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        parts = x.unbind(0) if scale_each else [x]
        scaled = [_scaled(part, value_range) for part in parts]
        x = rushlight.stack(scaled, dim=0) if scale_each else scaled[0]
    if x.shape[0] == 1:
        return x.squeeze(0)
    count, channels, height, width = x.shape
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    high, wide = height + padding, width + padding
    grid = x.new_full((channels, high * rows + padding, wide * columns + padding), pad_value)
    for i in range(count):
        row, column = divmod(i, columns)
        top, left = row * high + padding, column * wide + padding
        grid[:, top : top + height, left : left + width] = x[i]
    return grid


def _scaled(x: Tensor, value_range: tuple[float, float] | None) -> Any:
    low, high = value_range if value_range is not None else (float(x.min()), float(x.max()))
    return x.clamp(low, high).sub(low).div(max(high - low, 1e-5))


def save_image(tensor: Tensor | Sequence[Tensor], fp: Any, format: str | None = None, **kwargs: Any) -> None:
    """Write pictures of 0 to 1 into a file (a path or a file object), as a grid; `kwargs` are those of `make_grid`."""
    grid = make_grid(tensor, **kwargs).detach()
    # Rounded to the nearest byte.
    a = grid.mul(255).add(0.5).clamp(0, 255).permute(1, 2, 0).to(rushlight.uint8).contiguous().numpy()
    pillow().fromarray(a).save(fp, format=format)
