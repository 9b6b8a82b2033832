"""Resizing of pictures and signals: `interpolate`, one dimension after the other, and the old `upsample` names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from ...backend import placing
from ...ops import pooling
from ...ops.shape import as_picture
from ...settings import warn

_DIMS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3, "lanczos": 2}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact"


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None, antialias: bool = False,
) -> Any:  # fmt: skip
    """Resize the spatial dimensions of (N, C, ...) to `size`, or by `scale_factor`.

    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html
    """
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    align = bool(align_corners)
    n = input.dim() - 2
    sizes, scales = _sizes(input, n, size, scale_factor)
    if recompute_scale_factor is not None and recompute_scale_factor:
        if size is not None:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        scales = [None] * n
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.dim() == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if n not in (1, 2, 3) or not (mode in _DIMS or mode in ("nearest", "area", "nearest-exact")):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.dim()}D) for the modes: {_MODES} "
            f"(got {mode})"
        )
    if mode in _DIMS and _DIMS[mode] != n:
        raise NotImplementedError(f"Got {input.dim()}D input, but {mode} mode needs {_DIMS[mode] + 2}D input")
    if mode == "area":
        return pooling.FUNCTIONAL[f"adaptive_avg_pool{n}d"](input, sizes)
    if min(sizes) <= 0 or min(input.shape[2:]) <= 0:
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({_named(input.shape[2:])}) "
            f"output ({_named(sizes)})"
        )
    if not (input.is_floating_point() or (input.dtype.name == "uint8" and mode != "lanczos")):
        raise NotImplementedError(f"\"upsample_{mode}{n}d\" not implemented for '{input.dtype.scalar_name}'")
    out = input
    for i in reversed(range(n)):
        old = input.size(i + 2)
        kind = np.dtype(np.float64 if input.dtype.itemsize == 8 else np.float32)
        if mode.startswith("nearest"):
            where = _nearest(old, sizes[i], scales[i], exact=mode == "nearest-exact")
            if old != sizes[i] or (where != np.arange(old)).any():
                out = out.index_select(i + 2, ops.tensor(where))
        elif antialias:
            out = by_matrix(out, i + 2, filter_matrix(old, sizes[i], scales[i], align, mode).astype(kind))
        else:
            out = _by_taps(out, i + 2, *_taps(old, sizes[i], scales[i], align, mode == "bicubic", kind.type))
    return as_picture(out if out is not input else input.clone(), n > 1 and placing.channels_last(input._array))


def _named(sizes: Any) -> str:
    names = {1: "W", 2: "HW", 3: "DHW"}[len(sizes)]
    return ", ".join(f"{name}: {n}" for name, n in zip(names, sizes, strict=True))


def _sizes(input: Any, n: int, size: Any, scale_factor: Any) -> tuple[list[int], list[Any]]:
    """Output lengths, and the given scales (None where they follow from the lengths)."""
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if isinstance(size, (list, tuple)):
            if len(size) != n:
                raise ValueError(
                    "Input and output must have the same number of spatial dimensions, but got input with spatial "
                    f"dimensions of {list(input.shape[2:])} and output size of {size}. Please provide input tensor in "
                    "(N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
                )
            if not all(isinstance(v, int) or hasattr(v, "__index__") for v in size):
                raise TypeError(
                    "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got "
                    f"size with types {[type(v) for v in size]}"
                )
            return [int(v) for v in size], [None] * n
        return [int(size)] * n, [None] * n
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    if isinstance(scale_factor, (list, tuple)):
        if len(scale_factor) != n:
            raise ValueError(
                "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(input.shape[2:])} and scale_factor of shape {scale_factor}. Please provide input "
                "tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
            )
        scales = [float(v) for v in scale_factor]
    else:
        scales = [float(scale_factor)] * n
    sizes = [math.floor(float(input.size(i + 2)) * s) for i, s in enumerate(scales)]
    return sizes, list(scales)


def _ratio(old: int, new: int, scale: Any, align: bool) -> float:
    """The step in the input for one step in the output."""
    if align:
        return (old - 1) / (new - 1) if new > 1 else 0.0
    return 1.0 / scale if scale is not None and scale > 0 else old / new


def _nearest(old: int, new: int, scale: Any, exact: bool) -> Any:
    # In single precision, whatever the dtype: so it decides at the borders as PyTorch does.
    step = np.float32(_ratio(old, new, scale, align=False))
    position = (np.arange(new, dtype=np.float32) + np.float32(0.5 if exact else 0.0)) * step
    return np.minimum(np.floor(position).astype(np.int64), old - 1)


def _taps(old: int, new: int, scale: Any, align: bool, cubic: bool, kind: Any) -> tuple[Any, Any]:
    """For each output the positions of the inputs that it mixes, and their weights: two arrays (taps, outputs)."""
    step = kind(_ratio(old, new, scale, align))
    i = np.arange(new, dtype=kind)
    source = i * step if align else (i + kind(0.5)) * step - kind(0.5)
    if not cubic:
        source = np.maximum(source, 0)
        low = np.minimum(np.floor(source).astype(np.int64), old - 1)
        t = np.clip(source - low, 0, 1).astype(kind)
        return np.stack([low, np.minimum(low + 1, old - 1)]), np.stack([1 - t, t])
    low = np.floor(source)
    t = source - low
    where = np.clip(low.astype(np.int64) + np.arange(-1, 3)[:, None], 0, old - 1)
    return where, np.stack([_cubic(t + 1, -0.75), _cubic(t, -0.75), _cubic(1 - t, -0.75), _cubic(2 - t, -0.75)])


def _cubic(x: Any, a: float) -> Any:
    """Keys' cubic convolution kernel (IEEE ASSP 29, 1981)."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x < 1, near, np.where(x < 2, far, 0)).astype(x.dtype)


_FILTERS: dict[str, Any] = {  # (function, half width), as Pillow's
    "bilinear": (lambda x: np.maximum(1 - np.abs(x), 0), 1.0),
    "bicubic": (lambda x: _cubic(x, -0.5), 2.0),
    "lanczos": (lambda x: np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0), 3.0),
}


def filter_matrix(old: int, new: int, scale: Any, align: bool, mode: str) -> Any:
    """The weights (new, old) of a filter that widens when it shrinks a picture."""
    function, half = _FILTERS[mode]
    step = _ratio(old, new, scale, align)
    support, inverse = (half * step, 1 / step) if step >= 1 else (half, 1.0)
    matrix = np.zeros((new, old))
    for i in range(new):
        center = step * (i + 0.5)
        first = max(int(center - support + 0.5), 0)
        last = min(int(center + support + 0.5), old)
        weights = function((np.arange(first, last) - center + 0.5) * inverse)
        total = weights.sum()
        matrix[i, first:last] = weights / total if total else weights
    return matrix


def by_matrix(x: Any, dim: int, matrix: Any) -> Any:
    weights = ops.tensor(matrix).to(x.dtype)
    return (x.transpose(dim, -1) @ weights.transpose(0, 1)).transpose(dim, -1)


def _by_taps(x: Any, dim: int, where: Any, weights: Any) -> Any:
    shape = [1] * x.dim()
    shape[dim] = -1
    total: Any = None
    for positions, w in zip(where, weights, strict=True):
        part = x.index_select(dim, ops.tensor(positions)) * ops.tensor(w).to(x.dtype).reshape(shape)
        total = part if total is None else total + part
    return total


def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:  # fmt: skip
    """The old name of `interpolate`."""
    warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """The old name of `interpolate(mode="nearest")`."""
    warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> Any:
    """The old name of `interpolate(mode="bilinear", align_corners=True)`."""
    warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
