"""Looking rows up, and adding values where an index says; equal indices collect, in their order."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rushlight.backend.numpy.precision import Array, widen

__all__ = [
    "embedding",
    "embedding_backward",
    "index_add_",
    "scatter_add_",
]


def _checked(ids: Array, rows: int) -> None:
    if ids.size and (ids.min() < 0 or ids.max() >= rows):
        raise IndexError("index out of range in self")


def embedding(w: Array, ids: Array) -> Array:
    """The rows `ids` of `w` (rows, …), in the shape (*ids, …)."""
    _checked(ids, len(w))
    return w[ids] if ids.ndim else w[ids][...]


def embedding_backward(
    g: Array, ids: Array, rows: int, padding_idx: int | None = None, scale_by_freq: bool = False
) -> Array:
    """The dense gradient (rows, …): each row the sum of its occurrences, none for `padding_idx`."""
    _checked(ids, rows)
    row_shape = g.shape[ids.ndim :]
    flat, wide = ids.reshape(-1), widen(g).reshape(ids.size, math.prod(row_shape))
    gw = np.zeros((rows, wide.shape[1]), wide.dtype)
    with np.errstate(all="ignore"):
        if scale_by_freq and ids.size:
            wide = wide / np.bincount(flat, minlength=rows)[flat, None].astype(wide.dtype)
        index_add_(gw, 0, flat, wide)
    if padding_idx is not None and padding_idx >= 0:
        gw[padding_idx] = 0
    return gw.reshape(rows, *row_shape).astype(g.dtype, copy=False)


def _add_at_(a: Array, index: tuple[Any, ...], values: Array) -> None:
    """`np.add.at` on flat arrays, where it is fast; half precision adds up in float32 and rounds once."""
    flat = np.ravel_multi_index(np.broadcast_arrays(*index), a.shape).reshape(-1)
    total = np.ascontiguousarray(widen(a))
    with np.errstate(all="ignore"):
        np.add.at(total.reshape(-1), flat, np.broadcast_to(values, index[0].shape).reshape(-1))
    if total is not a:
        a[...] = total.astype(a.dtype, copy=False)


def index_add_(a: Array, axis: int, ids: Array, src: Array, alpha: Any = 1) -> None:
    """a[…, ids[i], …] += alpha * src[…, i, …], in place."""
    if ids.size and (ids.min() < 0 or ids.max() >= (a.shape[axis] if a.ndim else 1)):
        raise IndexError("index out of range in self")
    if not src.size:
        return
    with np.errstate(all="ignore"):
        values = widen(src) if alpha == 1 else widen(src) * np.asarray(alpha, widen(src).dtype)
    if a.ndim == 0:
        a, axis, values = a.reshape(1), 0, values.reshape(1)
    grid = list(np.ogrid[tuple(map(slice, values.shape))])
    grid[axis] = ids.reshape(-1)[grid[axis]]
    _add_at_(a, tuple(np.broadcast_arrays(*grid)), values)


def scatter_add_(a: Array, axis: int, ids: Array, src: Array) -> None:
    """a[i, …, ids[i, …, k], …] += src[i, …, k, …] for every place of `ids`, in place."""
    size = a.shape[axis] if a.ndim else 1
    wrong = (ids < 0) | (ids >= size)
    if wrong.any():
        raise RuntimeError(
            f"index {ids[wrong][0]} is out of bounds for dimension {axis % max(1, a.ndim)} with size {size}"
        )
    if not ids.size:
        return
    if a.ndim == 0:
        a, axis, ids, src = a.reshape(1), 0, ids.reshape(1), src.reshape(1)
    values = widen(src[tuple(map(slice, ids.shape))])
    grid = list(np.ogrid[tuple(map(slice, ids.shape))])
    grid[axis] = ids
    _add_at_(a, tuple(np.broadcast_arrays(*grid)), values)
