"""Histograms: how many numbers, or points, fall into each bin; and positions in a grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from .creation import linspace_array
from .joining import stack
from .publishing import public
from .results import named


@public
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each number occurs in a vector of non-negative integers (or the sum of its weights)."""
    a = input._array
    if a.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{input.dtype.scalar_name}'")
    if a.ndim != 1 or (a.size and int(a.min()) < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if weights is not None and weights._array.shape != a.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    if weights is None:
        return wrap(np.bincount(a, minlength=minlength).astype(np.int64))
    found = np.bincount(a, weights._array, minlength)
    return wrap(found.astype(np.float32 if weights._array.dtype == np.float32 else np.float64))


@public(out=True)
def histc(input: Any, bins: int = 100, min: Any = 0, max: Any = 0) -> Any:
    """Counts in equal bins from `min` to `max` (of the data when both are 0)."""
    a = input._array
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = float(min), float(max)
    if low == high and a.size:
        low, high = float(a.min()), float(a.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    if low > high:
        raise RuntimeError("torch.histc: max must be larger than min")
    if input.dtype.category < dtypes.FLOAT:
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{input.dtype.scalar_name}'")
    inside = a[(a >= low) & (a <= high)]
    place = ((inside - a.dtype.type(low)) * bins / a.dtype.type(high - low)).astype(np.int64)
    place = np.minimum(place, bins - 1)
    return wrap(np.bincount(place, minlength=bins).astype(a.dtype))


def _upper_bound(edges: Any, values: Any) -> Any:
    """The number of edges before the first one beyond each value, by halving; the edges need not be sorted."""
    low, count = np.zeros(len(values), np.int64), np.full(len(values), len(edges))
    while (count > 0).any():
        half = count // 2
        middle = np.minimum(low + half, len(edges) - 1)
        right = (count > 0) & ~(values < edges[middle])
        low = np.where(right, middle + 1, low)
        count = np.where(right, count - half - 1, half)
    return low


def _checked_bins(points: Any, bins: Any, bounds: Any, kind: Any) -> list[Any]:
    """The edges along each dimension."""
    d = points.shape[1]
    if bounds is not None and len(bounds) != 2 * d:
        raise RuntimeError(
            f"torch.histogramdd: for a {d}-dimensional histogram range should have {2 * d} elements, but got {len(bounds)}"
        )
    edges = []
    for i, b in enumerate(bins):
        if isinstance(b, Tensor):
            if b.dim() != 1:
                raise RuntimeError(
                    f"torch.histogramdd: bins tensor should have one dimension, but got {b.dim()} dimensions in the bins tensor for dimension {i}"
                )
            if not b.numel():
                raise RuntimeError(
                    f"torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension {i}"
                )
            if b.dtype is not kind:
                raise RuntimeError(
                    f"torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype {_short(kind)} and bins for dimension {i} with dtype {_short(b.dtype)}"
                )
            edges.append(b._array)
            continue
        if b <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {b} for dimension {i}")
        values = points[:, i]
        if bounds is not None:
            low, high = bounds[2 * i], bounds[2 * i + 1]
        else:
            low, high = (
                (float(values.min()), float(values.max()))
                if values.size
                else (0.0, 1.0 if points.shape[0] == 0 else 0.0)
            )
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"torch.histogramdd: dimension {i}'s range [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError(
                f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {i}"
            )
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges.append(linspace_array(low, high, int(b) + 1, kind))
    return edges


def _short(kind: Any) -> str:
    name: str = kind.name
    return {"float32": "float", "float64": "double"}.get(name, name)


def _counted(points: Any, edges: list[Any], weight: Any, density: bool) -> Any:
    """The counts of points in a grid; the last bin of a dimension includes its end."""
    keep = np.ones(len(points), bool)
    places = []
    for i, e in enumerate(edges):
        values = points[:, i]
        with np.errstate(invalid="ignore"):
            keep &= (values >= e[0]) & (values <= e[-1])
        place = _upper_bound(e, values) - 1
        places.append(np.where(place == len(e) - 1, place - 1, place))
    shape = [len(e) - 1 for e in edges]
    hist = np.zeros(math.prod(shape))
    if hist.size:
        flat = np.ravel_multi_index([np.clip(p, 0, n - 1) for p, n in zip(places, shape, strict=True)], shape)
        w = None if weight is None else weight[keep].astype(np.float64)
        hist = np.bincount(flat[keep], w, hist.size).astype(np.float64)
    hist = hist.reshape(shape)
    if density:
        total = hist.sum()
        with np.errstate(all="ignore"):
            for i, e in enumerate(edges):
                hist = hist / np.diff(e.astype(np.float64)).reshape([-1 if j == i else 1 for j in range(len(edges))])
            hist = hist / total
    return hist.astype(points.dtype)


def _histogram(x: Any, bins: Any, bounds: Any, weight: Any, density: bool) -> tuple[Any, list[Any]]:
    if x.dtype not in (dtypes.float32, dtypes.float64):
        raise NotImplementedError(f"\"histogramdd\" not implemented for '{x.dtype.scalar_name}'")
    if weight is not None and tuple(weight.shape) != tuple(x.shape[:-1]):
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its "
            f"innermost dimension, but got input with shape {list(x.shape)} and weight with shape {list(weight.shape)}"
        )
    if weight is not None and weight.dtype is not x.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but "
            f"got input(dtype={_short(x.dtype)}, weight(dtype={_short(weight.dtype)})"
        )
    points = x._array.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    edges = _checked_bins(points, bins, bounds, x.dtype)
    w = None if weight is None else weight._array.reshape(-1)
    return wrap(_counted(points, edges, w, density)), [wrap(np.asarray(e)) for e in edges]


_HISTOGRAM, _HISTOGRAMDD = named("histogram", "hist bin_edges"), named("histogramdd", "hist bin_edges")


@public(out=True)
def histogram(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """Counts in bins of equal width, or with the given edges; `density` makes the integral 1."""
    w = None if weight is None or weight.shape != input.shape else weight.reshape(-1)
    hist, (edges,) = _histogram(input.reshape(-1, 1), [bins], range, weight if w is None else w, density)
    return _HISTOGRAM((hist, edges))


@public(method=False)
def histogramdd(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """Counts of points (rows of `input`) in a grid, given by numbers of bins or by edges."""
    if input.dim() < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    d = input.shape[-1]
    bins = [bins] * d if isinstance(bins, int) else list(bins)
    if len(bins) != d:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    hist, edges = _histogram(input, bins, range, weight, density)
    return _HISTOGRAMDD((hist, tuple(edges)))


@public(method=False)
def unravel_index(indices: Any, shape: Any) -> Any:
    """The coordinates, in a tensor of the given shape, of positions in the flattened tensor."""
    if not isinstance(indices, Tensor):
        raise AttributeError(f"'{type(indices).__name__}' object has no attribute 'is_complex'")
    if indices.dtype.category != dtypes.INT:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    sizes = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"'shape' cannot have negative values, but got {sizes}")
    found, step = [], 1
    for n in reversed(sizes):
        found.append(indices.div(step, rounding_mode="floor") % n)
        step *= n
    return stack(found[::-1], -1).unbind(-1) if found else ()
