"""Order: sort, topk, medians and quantiles, counting and searching."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap, wrap_dim
from ..backend import kernels as K
from ..backend import placing
from ..settings import warn_once
from .declare import primitive
from .kinds import refuse
from .publishing import public, type_error
from .reduction import _as_tensor, _evenly, _selected
from .results import named


def _order(a: Any, axis: int, descending: bool) -> Any:
    """Stable positions that sort `a`; nan counts as the largest."""
    if not descending:
        return np.argsort(_sortable(a), axis, kind="stable")
    flipped = np.flip(_sortable(a), axis)  # a stable descending sort is a stable ascending one of the mirror image
    order = np.flip(np.argsort(flipped, axis, kind="stable"), axis)
    return a.shape[axis] - 1 - order


def _sortable(a: Any) -> Any:
    return a if a.dtype.isbuiltin == 1 else a.astype(np.float32)


def _rows(a: Any, axis: int) -> Any:
    """`a` as rows along `axis`, in a type that keeps the order of all its values."""
    b = np.moveaxis(a, axis, -1)
    b = np.ascontiguousarray(b, np.int64 if a.dtype.kind in "biu" else np.float64)
    return b.reshape(-1, a.shape[axis]) if b.size else b.reshape(0, a.shape[axis])


def _from_rows(places: Any, a: Any, axis: int) -> Any:
    shape = (*a.shape[:axis], *a.shape[axis + 1 :], places.shape[1])
    return np.moveaxis(places.reshape(shape), -1, axis)


def _unstable_order(a: Any, axis: int, descending: bool) -> Any:
    """Positions that sort `a`, with equal elements where PyTorch leaves them (`docs/random.md`)."""
    n = a.shape[axis]
    by_radix = a.ndim == 1 and not descending and a.dtype.kind in "iu" and n >= 2**15
    if n <= 16 or by_radix:  # up to 16 std::sort inserts, which is stable
        return _order(a, axis, descending)
    return _from_rows(K.argsort(_rows(a, axis), descending), a, axis)


def _sorted(a: Any, axis: int, descending: bool, stable: bool) -> Any:
    if a.ndim == 0:
        index = np.zeros((), np.int64)
        return [np.array(a), index], index
    order = _order if stable else _unstable_order
    index = placing.placed(order(a, axis, descending).astype(np.int64, copy=False), a)
    return [placing.placed(np.take_along_axis(a, index, axis), a), index], index


def _unsorted(g: Any, index: Any, shape: Any, axis: int) -> Any:
    if not shape:
        return g
    return g.new_zeros(shape).scatter_add(axis, _as_tensor(index), g)


_sort: Any = primitive(
    "SortBackward0", _sorted, tensors=True, aux=True, non_differentiable=(1,),
    a=lambda g, a_shape, axis, aux: _unsorted(g, aux, a_shape, axis),
)  # fmt: skip
_SORT, _TOPK = named("sort", "values indices"), named("topk", "values indices")


@public(out=True)
def sort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The elements in order along a dimension, and where each came from.

    Equal elements keep their order with `stable`; else they stand as PyTorch leaves them.
    """
    if not isinstance(input, Tensor):
        raise type_error("sort", input)
    if input.dtype.category == dtypes.COMPLEX:
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    return _SORT(_sort(input, wrap_dim(dim, input._array.ndim), descending, bool(stable)))


@public(out=True)
def argsort(input: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """The indices that sort along a dimension."""
    return sort(input, dim, descending, stable)[1]


@public(out=True)
def msort(input: Any) -> Any:
    """Sorted along the first dimension."""
    return sort(input, 0)[0]


def _top(a: Any, k: int, axis: int, largest: bool, in_order: bool) -> Any:
    if a.ndim == 0:
        index = np.zeros((), np.int64)
        return [np.array(a), index], index
    rows = _rows(a, axis)
    places = K.argtop(rows, k, largest, in_order) if k else np.empty((len(rows), 0), np.int64)
    index = _from_rows(places, a, axis)
    index = np.ascontiguousarray(index).astype(np.int64)
    return [np.take_along_axis(a, index, axis), index], index


_topk: Any = primitive(
    "TopkBackward0", _top, tensors=True, aux=True, non_differentiable=(1,),
    a=lambda g, a_shape, axis, aux: _unsorted(g, aux, a_shape, axis),
)  # fmt: skip


@public(out=True)
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The `k` largest (or smallest) elements along a dimension, and their indices."""
    axis = wrap_dim(dim, input._array.ndim)
    n = input._array.shape[axis] if input._array.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError("selected index k out of range")
    if input.dtype.category == dtypes.COMPLEX:
        raise RuntimeError(" topk does not support complex dtypes on CPU")
    if input._array.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU")
    return _TOPK(_topk(input, k, axis, largest, sorted))


# ---- one element by rank --------------------------------------------------------------------------------------------------


def _ranked(name: str, rank: Any) -> Any:
    """An operator that picks, along an axis, the element that `rank(a, axis, *parameters)` names."""

    def forward(a: Any, axis: int, keep: bool, parameter: Any) -> Any:
        if a.ndim == 0:
            index = np.zeros((), np.int64)
            return [np.array(a), index], index
        index = np.expand_dims(rank(a, axis, parameter), axis)
        values = np.take_along_axis(a, index, axis)
        if not keep:
            values, index = values.squeeze(axis), index.squeeze(axis)
        return [np.ascontiguousarray(values) if values.ndim else values, index], index

    return primitive(
        name, forward, tensors=True, aux=True, non_differentiable=(1,),
        a=lambda g, a_shape, axis, keep, aux: _selected(g, _as_tensor(aux), a_shape, axis, keep),
    )  # fmt: skip


def _nth(a: Any, axis: int, rank: int) -> Any:
    """Where the element of a rank is: that of the stable order, found without sorting everything."""
    b = _sortable(a)
    if b.dtype.kind == "f" and np.isnan(b).any():
        return np.take(_order(a, axis, False), rank, axis)
    value = np.take(np.partition(b, rank, axis), [rank], axis)
    equal = b == value
    before = np.count_nonzero(b < value, axis, keepdims=True)
    return np.argmax(np.cumsum(equal, axis, dtype=np.int32) > rank - before, axis)


def _select(a: Any, axis: int, k: int) -> Any:
    places = K.argselect(_rows(a, axis), k - 1)
    return places.reshape((*a.shape[:axis], *a.shape[axis + 1 :]))


_kth = _ranked("KthvalueBackward0", _select)
_KTH, _MEDIAN, _NANMEDIAN, _MODE = (named(n, "values indices") for n in ("kthvalue", "median", "nanmedian", "mode"))


@public(out="apart")
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest element along a dimension (from 1), and its index."""
    axis = wrap_dim(dim, input._array.ndim)
    n = input._array.shape[axis] if input._array.ndim else 1
    if input._array.ndim and n == 0:
        raise IndexError(f"kthvalue(): Expected reduction dim {axis} to have non-zero size.")
    if not 1 <= k <= n:
        raise RuntimeError("kthvalue(): selected number k out of range for dimension " + str(axis))
    if input._array.dtype.kind in "bc":
        refuse("kthvalue_cpu", input._array)
    return _KTH(_kth(input, axis, keepdim, k))


def _median_rank(a: Any, axis: int, skip_nan: Any) -> Any:
    n = a.shape[axis]
    if a.dtype.kind not in "fV" or not np.isnan(a).any():
        return _nth(a, axis, (n - 1) // 2)
    order = _order(a, axis, False)
    nans = np.isnan(a).sum(axis)
    if skip_nan:
        rank = np.maximum(n - nans - 1, 0) // 2
    else:
        first_nan = np.argmax(np.isnan(a), axis)
        rank = np.full(nans.shape, (n - 1) // 2)
    found = np.take_along_axis(order, np.expand_dims(rank, axis), axis).squeeze(axis)
    return found if skip_nan else np.where(nans > 0, first_nan, found)


_median = _ranked("MedianBackward0", _median_rank)
_whole_median: Any = primitive(  # its gradient is shared by all equal elements
    "MedianBackward0", lambda a, skip_nan: np.array(a[_median_rank(a, 0, skip_nan)]), tensors=True,
    a=lambda g, a, out, a_shape: _evenly(g, a, out, a_shape, None, False),
)  # fmt: skip


def _median_function(name: str, skip_nan: bool, result: Any) -> None:
    def median(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if input._array.dtype.kind in "bc":
            refuse("median_cpu" if dim is None else "median_out", input._array)
        if dim is None:
            flat = input.reshape(-1)
            if not flat._array.size:
                return input.new_full(
                    (), math.nan if input.dtype.category == dtypes.FLOAT else np.iinfo(input._array.dtype).min
                )
            return _whole_median(flat, skip_nan)
        axis = wrap_dim(dim, input._array.ndim)
        if input._array.ndim and input._array.shape[axis] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {axis} to have non-zero size.")
        return result(_median(input, axis, keepdim, skip_nan))

    median.__name__ = median.__qualname__ = name
    median.__doc__ = "The lower median" + (" of what is not nan" if skip_nan else "") + "; along `dim`, with its index."
    public(median, name=name, out=True)


_median_function("median", False, _MEDIAN)
_median_function("nanmedian", True, _NANMEDIAN)


def _mode_rank(a: Any, axis: int, _: Any) -> Any:
    def of(row: Any) -> int:
        values, counts = np.unique(row, return_counts=True, equal_nan=False)  # each nan stands alone
        best = values[np.argmax(counts)]
        order = K.argsort(_rows(row, 0), False)[0]  # the last of them as they are sorted
        return int(order[np.nonzero(row[order] == best)[0][-1]] if best == best else np.nonzero(row != row)[0][0])

    return np.apply_along_axis(of, axis, a)


_mode = _ranked("ModeBackward0", _mode_rank)


@public(out=True)
def mode(input: Any, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent element along a dimension (the smallest of such), and an index of it."""
    if input.dtype.category == dtypes.COMPLEX:
        refuse("mode_cpu", input._array)
    axis = wrap_dim(dim, input._array.ndim)
    if input._array.ndim and input._array.shape[axis] == 0:
        raise IndexError(f"mode(): Expected reduction dim {axis} to have non-zero size.")
    return _MODE(_mode(input, axis, keepdim, None))


def _quantile(x: Any, q: Any, dim: Any, keepdim: bool, interpolation: str, skip_nan: bool, name: str) -> Any:
    if x._array.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if x.dtype not in (dtypes.float32, dtypes.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = x.new_tensor(q)
    elif q.dtype is not x.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    elif q.dim() > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    elif ((q._array < 0) | (q._array > 1)).any():
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    axis = wrap_dim(dim, x.dim()) if dim is not None else None
    ndim = x.dim()
    y = x.reshape(-1) if axis is None else x.transpose(axis, -1) if ndim else x.reshape(1)
    values = sort(y, -1)[0]
    n = values.shape[-1]
    a = values._array
    nans = np.isnan(a).sum(-1, keepdims=True)
    top = n - 1 - nans if skip_nan else np.full(nans.shape, n - 1)
    rank = q._array.reshape(-1) * np.maximum(top, 0)
    if not skip_nan:
        rank = np.where(nans > 0, n - 1, rank)
    if interpolation == "lower":
        rank = np.floor(rank)
    elif interpolation == "higher":
        rank = np.ceil(rank)
    elif interpolation == "nearest":
        rank = np.round(rank)
    low = np.floor(rank).astype(np.int64)
    found = values.gather(-1, wrap(low))
    if interpolation in ("linear", "midpoint"):
        weight = np.full(rank.shape, 0.5) if interpolation == "midpoint" else rank - low
        high = values.gather(-1, wrap(np.ceil(rank).astype(np.int64)))
        weight = wrap(weight.astype(a.dtype))
        if q.requires_grad and interpolation == "linear":
            weight = weight + (q - q.detach()).reshape(-1) * wrap(np.maximum(top, 0).astype(a.dtype))
        found = found.lerp(high, weight)
    found = found.movedim(-1, 0) if axis is None else found
    if axis is None:
        out = found.reshape(tuple(q.shape))
        return out.reshape(tuple(q.shape) + (1,) * ndim) if keepdim else out
    if ndim == 0:
        return found.reshape(q.shape)
    found = found.movedim(-1, 0)  # (q, ..., with the last axis gone)
    # The reduced axis sat at the end after the swap, so what was last is now at `axis`.
    if axis != ndim - 1 and not keepdim:
        order = [d for d in range(ndim) if d != axis]
        swapped = [ndim - 1 if d == axis else d for d in range(ndim - 1)]
        found = found.permute([0] + [1 + swapped.index(d) for d in order])
    elif keepdim:
        swapped = [ndim - 1 if d == axis else d for d in range(ndim - 1)]
        order = [d for d in range(ndim) if d != axis]
        found = found.permute([0] + [1 + swapped.index(d) for d in order]).unsqueeze(axis + 1)
    return found if q.dim() else found.squeeze(0)


@public(out=True)
def quantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """The q-quantiles along a dimension, interpolated between neighbours."""
    return _quantile(input, q, dim, keepdim, interpolation, False, "quantile")


@public(out=True)
def nanquantile(input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: str = "linear") -> Any:
    """As `quantile`, of what is not nan."""
    return _quantile(input, q, dim, keepdim, interpolation, True, "nanquantile")


# ---- counting and searching ---------------------------------------------------------------------------------------------------


@public(method=True)
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The distinct elements (or slices along `dim`), sorted; also the inverse and the counts if asked for."""
    a = input._array
    axis = None if dim is None else wrap_dim(dim, a.ndim)
    values, inverse, counts = np.unique(a, return_inverse=True, return_counts=True, axis=axis, equal_nan=False)
    inverse = inverse.reshape(a.shape if axis is None else -1).astype(np.int64)
    found = [wrap(values), wrap(inverse), wrap(counts.astype(np.int64))]
    kept = [x for x, wanted in zip(found, (True, return_inverse, return_counts), strict=True) if wanted]
    return kept[0] if len(kept) == 1 else tuple(kept)


@public(method=True)
def unique_consecutive(input: Any, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """Without repetitions of neighbours."""
    a = input._array
    rows = a.reshape(-1) if dim is None else np.moveaxis(a, wrap_dim(dim, a.ndim), 0)
    n = len(rows)
    flat = rows.reshape(n, -1) if n else rows.reshape(0, 1)
    new = np.ones(n, bool)
    if n > 1:
        new[1:] = (flat[1:] != flat[:-1]).any(1)
    values = rows[new]
    inverse = np.cumsum(new) - 1
    counts = np.diff(np.append(np.nonzero(new)[0], n))
    values = values if dim is None else np.moveaxis(values, 0, wrap_dim(dim, a.ndim))
    found = [np.ascontiguousarray(values), inverse.reshape(a.shape if dim is None else -1), counts]
    kept = [
        wrap(x if i == 0 else x.astype(np.int64))
        for i, (x, w) in enumerate(zip(found, (True, return_inverse, return_counts), strict=True))
        if w
    ]
    return kept[0] if len(kept) == 1 else tuple(kept)


@public(method=False, out=True)
def searchsorted(
    sorted_sequence: Any,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """Where each value would go in sorted sequences (the last dimension)."""
    kind = np.int32 if out_int32 else np.int64
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
        )
    which: Any = "right" if right or side == "right" else "left"
    s = sorted_sequence._array
    if not isinstance(input, Tensor):
        if s.ndim != 1:
            raise RuntimeError(
                "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got "
                f"boundaries tensor dim({s.ndim}) and input value's dim(0) numel(1)"
            )
        input = sorted_sequence.new_tensor(input)
    v = input._array
    for what, held in (("boundary", s), ("input value", v)):
        if not held.flags.c_contiguous:
            warn_once(
                f"torch.searchsorted(): {what} tensor is non-contiguous, this will lower the performance due to extra data "
                f"copy when converting non-contiguous tensor to contiguous, please use contiguous {what} tensor if "
                "possible. This message will only appear once per program."
            )
    if sorter is not None:
        if ((sorter._array < 0) | (sorter._array >= s.shape[-1])).any():
            raise RuntimeError("torch.searchsorted(): sorter index out of range")
        s = np.take_along_axis(s, sorter._array, -1)
    if s.ndim == 1:
        return wrap(np.asarray(np.searchsorted(s, v, which)).astype(kind))
    if s.shape[:-1] != v.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            f"and input value tensor must match, but we got boundaries tensor {list(s.shape)} and input value tensor {list(v.shape)}"
        )
    out = np.empty(v.shape, kind)
    for place in np.ndindex(s.shape[:-1]):
        out[place] = np.searchsorted(s[place], v[place], which)
    return wrap(out)


@public(method=False, out=True)
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> Any:
    """The number of the bucket, between sorted boundaries, that each value falls into."""
    if boundaries.dim() != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.dim()})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


@public(method=False)
def combinations(input: Any, r: int = 2, with_replacement: bool = False) -> Any:
    """The combinations of `r` elements of a vector, as rows."""
    import itertools

    if input.dim() != 1:
        raise RuntimeError("Expect a 1D vector, but got shape " + str(list(input.shape)))
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_empty((0,))
    if input.numel() > 1 and r * math.log2(input.numel()) >= 63:
        raise RuntimeError("numel: integer multiplication overflow")
    pick = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(pick(range(input.numel()), r)), np.int64).reshape(-1, r)
    return input[wrap(rows)]
