"""Gather, scatter and their kin: elements chosen, written or added by index tensors along one dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap, wrap_dim
from ..backend import kernels as K
from ..backend import placing
from ..settings import warn, warn_once
from .declare import primitive
from .publishing import public, type_error
from .recorded import broadcast_error
from .shape import reshape_any, sum_to_any


def _check_index(name: str, index: Any) -> None:
    if index._array.dtype.name not in ("int64", "int32"):
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


def _bounds(index: Any, size: int, dim: int) -> None:
    a = index._array
    if a.size and (int(a.min()) < 0 or int(a.max()) >= size):
        bad = int(a[(a < 0) | (a >= size)].reshape(-1)[0])
        raise RuntimeError(f"index {bad} is out of bounds for dimension {dim} with size {size}")


def _at_least_1d(a: Any) -> Any:
    return a.reshape(1) if a.ndim == 0 else a


def _along(index: Any, dim: int) -> tuple[Any, ...]:
    """The full advanced index of elements whose position along `dim` is `index`."""
    grid = list(np.ogrid[tuple(slice(n) for n in index.shape)]) if index.ndim else []
    grid[dim] = index
    return tuple(grid)


def _gather_arrays(a: Any, dim: int, index: Any) -> Any:
    if a.ndim == 0:
        return np.broadcast_to(a, index.shape).copy()
    if not a.flags.c_contiguous or not index.ndim:
        return placing.in_order(a[_along(_at_least_1d(index), dim)]).reshape(index.shape)
    # One index into the flat memory is faster than one a dimension.
    steps = [step // a.itemsize for step in a.strides]
    place: Any = 0
    for d, n in enumerate(index.shape):
        if d != dim:
            place = place + (np.arange(n) * steps[d]).reshape([-1 if k == d else 1 for k in range(index.ndim)])
    return np.take(a.reshape(-1), placing.in_order(index * steps[dim] + place), mode="clip")


def _scatter_add_arrays(a: Any, dim: int, index: Any, b: Any) -> Any:
    out = a.copy()
    target, i = _at_least_1d(out), _at_least_1d(index)
    source = _at_least_1d(b)[tuple(slice(n) for n in i.shape)]
    if i.size:
        K.scatter_add_(target, dim, i, np.ascontiguousarray(source))
    return out


_gather: Any = primitive(
    "GatherBackward0", _gather_arrays, inputs=("index",),
    a=lambda g, a_shape, dim, index: scatter_add_any(zeros_any(g, a_shape), dim, index, g),
)  # fmt: skip
_scatter_add: Any = primitive(
    "ScatterAddBackward0", _scatter_add_arrays, inputs=("index",),
    a=lambda g: g, b=lambda g, b_shape, dim, index: pad_to(_gather(g, dim, index), b_shape),
)  # fmt: skip


def zeros_any(g: Any, shape: Any) -> Any:
    """Zeros of a shape, like an array or a Tensor."""
    return g.new_zeros(shape) if isinstance(g, Tensor) else np.zeros(shape, g.dtype)


def scatter_add_any(x: Any, dim: int, index: Any, source: Any) -> Any:
    """`scatter_add` on arrays or Tensors."""
    return _scatter_add(x, dim, index, source)


def pad_to(g: Any, shape: Any) -> Any:
    """`g` in the low corner of zeros of a larger shape."""
    own = g._array.shape if isinstance(g, Tensor) else g.shape
    if tuple(own) == tuple(shape):
        return g
    from .indexing import _basic_scatter

    key = tuple(slice(n) for n in own)
    if isinstance(g, Tensor):
        return _basic_scatter(g.new_zeros(shape), g, key)
    out = np.zeros(shape, g.dtype)
    out[key] = g
    return out


def _check_sizes(name: str, x: Any, dim: int, index: Any, src: Any = None) -> None:
    n = max(x._array.ndim, 1)
    if max(index._array.ndim, 1) != n:
        raise RuntimeError(
            "Index tensor must have the same number of dimensions as input tensor"
            if name == "gather"
            else "Index tensor must have the same number of dimensions as self tensor"
        )
    if src is not None and max(src._array.ndim, 1) != n:
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    own, wanted = _at_least_1d(x._array).shape, _at_least_1d(index._array).shape
    if name == "gather":
        for d in range(n):
            if d != dim and wanted[d] > own[d]:
                raise RuntimeError(
                    f"Size does not match at dimension {d} expected index {list(wanted)} to be no larger than self "
                    f"{list(own)} apart from dimension {dim}"
                )
        return
    source = _at_least_1d(src._array).shape if src is not None else wanted
    for d in range(n):
        if (d != dim and wanted[d] > own[d]) or wanted[d] > source[d]:
            tail = f" and to be no larger size than src {list(source)}" if src is not None else ""
            raise RuntimeError(
                f"Expected index {list(wanted)} to be no larger than self {list(own)} apart from dimension {dim}{tail}"
            )


@public(out="apart exact")
def gather(input: Any, dim: int, index: Any, *, sparse_grad: bool = False) -> Any:
    """`out[i][j] = input[index[i][j]][j]` (for `dim` 0): elements chosen along one dimension."""
    d = wrap_dim(dim, input._array.ndim)
    if not index._array.size:
        return input.reshape(-1).narrow(0, 0, 0).reshape(index.shape).clone()
    _check_index("gather", index)
    _check_sizes("gather", input, d, index)
    _bounds(index, _at_least_1d(input._array).shape[d], d)
    return _gather(input, d, index)


@public(out=True, inplace=True)
def scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """`input` with the elements of `src` added at the places `index` along one dimension."""
    d = wrap_dim(dim, input._array.ndim)
    _check_index("scatter", index)
    if not index._array.size:
        return input.clone()
    if input._array.dtype != src._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    _check_sizes("scatter", input, d, index, src)
    _bounds(index, _at_least_1d(input._array).shape[d], d)
    return _scatter_add(input, d, index, src)


def _scatter_arrays(a: Any, dim: int, index: Any, b: Any) -> Any:
    out = a.copy()
    target, i = _at_least_1d(out), _at_least_1d(index)
    target[_along(i, dim)] = _at_least_1d(b)[tuple(slice(n) for n in i.shape)] if b.ndim else b
    return out


def _scatter_value_arrays(a: Any, dim: int, index: Any, value: Any) -> Any:
    out = a.copy()
    target, i = _at_least_1d(out), _at_least_1d(index)
    target[_along(i, dim)] = value
    return out


_scatter: Any = primitive(
    "ScatterBackward0", _scatter_arrays, inputs=("index",), tensors=True,
    a=lambda g, dim, index: _scatter_value(g, dim, index, 0),
    b=lambda g, b_shape, dim, index: pad_to(_gather(g, dim, index), b_shape),
)  # fmt: skip
_scatter_value: Any = primitive(
    "ScatterBackward1", _scatter_value_arrays, inputs=("index",), tensors=True,
    a=lambda g, dim, index: _scatter_value(g, dim, index, 0),
)  # fmt: skip


@public(out=True, inplace=True)
def scatter(input: Any, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Any:
    """`input` with the elements of `src` (or one value) written at the places `index` along one dimension."""
    d = wrap_dim(dim, input._array.ndim)
    _check_index("scatter", index)
    source = src if src is not None else value
    if reduce is not None:
        if isinstance(source, Tensor):
            warn_once(
                "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future PyTorch "
                "release. Use torch.scatter_reduce instead for more reduction options."
            )
        names = {"add": "sum", "multiply": "prod"}
        if reduce not in names:
            raise RuntimeError("reduce argument must be either add or multiply.")
        if not isinstance(source, Tensor):
            source = input.new_full(index.shape, source)
        return scatter_reduce(input, dim, index, source, names[reduce], include_self=True)
    if not index._array.size:
        return input.clone()
    if isinstance(source, Tensor):
        if input._array.dtype != source._array.dtype:
            raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
        _check_sizes("scatter", input, d, index, source)
        _bounds(index, _at_least_1d(input._array).shape[d], d)
        return _scatter(input, d, index, source)
    _check_sizes("scatter", input, d, index)
    _bounds(index, _at_least_1d(input._array).shape[d], d)
    return _scatter_value(input, d, index, source)


_UFUNCS: dict[str, Any] = {"sum": np.add, "mean": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}
_NEUTRAL = {"sum": 0, "mean": 0, "prod": 1}


def _neutral(reduce: str, dtype: Any) -> Any:
    if reduce in _NEUTRAL:
        return _NEUTRAL[reduce]
    if dtype.kind in "fV":
        return -np.inf if reduce == "amax" else np.inf
    if dtype.kind == "b":
        return reduce == "amin"
    info = np.iinfo(dtype)
    return info.min if reduce == "amax" else info.max


def _scatter_reduce_arrays(a: Any, dim: int, index: Any, b: Any, reduce: str, include_self: bool) -> Any:
    out = a.copy()
    target, i = _at_least_1d(out), _at_least_1d(index)
    source = _at_least_1d(b)[tuple(slice(n) for n in i.shape)]
    place = _along(i, dim)
    with np.errstate(all="ignore"):
        if not include_self:
            target[place] = _neutral(reduce, out.dtype)
        _UFUNCS[reduce].at(target, place, source)
        if reduce == "mean":
            count = np.ones(target.shape, np.int64) if include_self else np.zeros(target.shape, np.int64)
            np.add.at(count, place, 1)
            count = np.maximum(count, 1)
            target[...] = target // count if out.dtype.kind in "biu" else target / count
    return out


def _scatter_reduce_backward(
    g: Any, a: Any, dim: int, index: Any, b: Any, reduce: str, include_self: bool, out: Any, needs: Any
) -> tuple[Any, ...]:
    sub = b[tuple(slice(n) for n in index.shape)] if b.dim() else b
    ones = _scatter_value(g * 0, dim, index, 1)  # where anything was written
    if reduce == "sum":
        ga, gb = g, _gather(g, dim, index)
    elif reduce == "mean":
        count = (g * 0 + (1 if include_self else 0)).scatter_add(dim, index, (sub * 0 + 1).detach())
        count = count.masked_fill(count == 0, 1)
        ga, gb = g / count, _gather(g / count, dim, index)
    elif reduce in ("amax", "amin"):
        # PyTorch counts an equal element of `input` also where it had no say.
        chosen_a, chosen_b = a == out, sub == _gather(out, dim, index)
        tally = chosen_a.to(g.dtype).scatter_add(dim, index, chosen_b.to(g.dtype))
        tally = tally.masked_fill(tally == 0, 1)
        ga, gb = g / tally * chosen_a.to(g.dtype), _gather(g / tally, dim, index) * chosen_b.to(g.dtype)
    else:
        ga, gb = _prod_gradients(g, a, dim, index, sub, include_self, out)
    if not include_self:
        ga = ga * (1 - ones)
    return ga, None, pad_to(gb, tuple(b.shape))


def _prod_gradients(g: Any, a: Any, dim: int, index: Any, b: Any, include_self: bool, out: Any) -> tuple[Any, Any]:
    """The product of the others: by division, or without division where zeros are among the factors."""
    zero = b == 0
    masked = b.masked_fill(zero, 1)
    start = a.masked_fill(a == 0, 1) if include_self else a * 0 + 1
    start = start if include_self else _scatter_value(a, dim, index, 1)
    product = _scatter_reduce(start, dim, index, masked, "prod", True)
    zeros = (g * 0).scatter_add(dim, index, zero.to(g.dtype)).detach()
    self_zero = (a == 0).to(g.dtype) if include_self else g * 0
    total = zeros + self_zero
    ga = g * (product / start) * (zeros == 0).to(g.dtype)
    others = _gather(total, dim, index) - zero.to(g.dtype)
    gb = _gather(g * product, dim, index) / masked * (others == 0).to(g.dtype)
    return ga, gb


_scatter_reduce: Any = primitive(
    "ScatterReduceBackward0",
    _scatter_reduce_arrays,
    inputs=("a", "index", "b"),
    tensors=True,
    backward=_scatter_reduce_backward,
)


@public(out=True, inplace=True)
def scatter_reduce(input: Any, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> Any:
    """`input` with the elements of `src` at the places `index` reduced into it: sum, prod, mean, amax or amin."""
    d = wrap_dim(dim, input._array.ndim)
    _check_index("scatter", index)
    reduce = {"max": "amax", "min": "amin"}.get(reduce, reduce)
    if reduce not in _UFUNCS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if input._array.dtype != src._array.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if not index._array.size:
        return input.clone()
    _check_sizes("scatter", input, d, index, src)
    _bounds(index, _at_least_1d(input._array).shape[d], d)
    return _scatter_reduce(input, d, index, src, reduce, include_self)


# ---- whole slices -------------------------------------------------------------------------------------------------------


def _take_slices(a: Any, dim: int, index: Any) -> Any:
    return np.take(_at_least_1d(a), index.reshape(-1), dim).reshape(
        a.shape if a.ndim == 0 else -1 if a.ndim == 1 else (*a.shape[:dim], index.size, *a.shape[dim + 1 :])
    )


_index_select: Any = primitive(
    "IndexSelectBackward0", _take_slices, inputs=("index",),
    a=lambda g, a_shape, dim, index: _index_add(zeros_any(g, a_shape), dim, index, g, 1),
)  # fmt: skip


def _index_add_arrays(a: Any, dim: int, index: Any, b: Any, alpha: Any) -> Any:
    out = a.copy()
    source = b.reshape(1) if b.ndim == 0 else b
    K.index_add_(_at_least_1d(out), dim, _at_least_1d(index), source, alpha)
    return out


_index_add: Any = primitive(
    "IndexAddBackward0", _index_add_arrays, inputs=("index",),
    a=lambda g: g, b=lambda g, b_shape, dim, index, alpha: reshape_any(_index_select(g, dim, index), b_shape) * alpha,
)  # fmt: skip


def _check_slices(name: str, x: Any, dim: int, index: Any) -> int:
    if index._array.ndim > 1:
        if name == "index_select":
            raise IndexError("index_select(): Index is supposed to be a vector")
        raise IndexError(f"{name}(): Index is supposed to be a vector")
    if index._array.dtype.name not in ("int64", "int32"):
        got = index.dtype.scalar_name
        raise RuntimeError(
            {
                "index_select": "index_select(): Expected dtype int32 or int64 for index",
                "index_copy_": f"index_copy_(): Expected a long tensor for index, but got {got}",
            }.get(name, f"{name}_(): Expected dtype int32/int64 for index but got: {got}")
        )
    return wrap_dim(dim, x._array.ndim)


def _slice_bounds(index: Any, size: int) -> None:
    a = index._array
    if a.size and (int(a.min()) < 0 or int(a.max()) >= size):
        raise IndexError("index out of range in self")


@public(out=True)
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of one dimension that `index` lists, as a copy."""
    if not isinstance(index, Tensor):
        raise type_error("index_select", index, 3, "index")
    d = _check_slices("index_select", input, dim, index)
    _slice_bounds(index, _at_least_1d(input._array).shape[d])
    return _index_select(input, d, index)


@public(out=True, inplace=True)
def index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """`input` with `alpha` times the slices of `source` added at the indices listed."""
    d = _check_slices("index_add", input, dim, index)
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"index_add_(): self ({input.dtype.scalar_name}) and source ({source.dtype.scalar_name}) must have the same scalar type"
        )
    n = index._array.size
    own = _at_least_1d(source._array).shape
    if source._array.ndim and own[d] != n:
        raise RuntimeError(
            f"index_add_(): Number of indices ({n}) should be equal to source.size(dim): ({own[d]}), for dim: {d}"
        )
    a_shape = _at_least_1d(input._array).shape
    if source._array.ndim and any(i != d and x != y for i, (x, y) in enumerate(zip(a_shape, own, strict=False))):
        raise RuntimeError(
            f"source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = {list(a_shape)} source.shape = {list(own)}"
        )
    _slice_bounds(index, a_shape[d])
    return _index_add(input, d, index, source, alpha)


def _index_copy_arrays(a: Any, dim: int, index: Any, b: Any) -> Any:
    out = a.copy()
    target = _at_least_1d(out)
    target[(slice(None),) * dim + (_at_least_1d(index),)] = _at_least_1d(b)
    return out


_index_copy: Any = primitive(
    "IndexCopyBackward0", _index_copy_arrays, inputs=("index",), tensors=True,
    a=lambda g, dim, index: _index_fill(g, dim, index, 0),
    b=lambda g, b_shape, dim, index: _index_select(g, dim, index).reshape(b_shape),
)  # fmt: skip


@public(out=True, inplace=True)
def index_copy(input: Any, dim: int, index: Any, source: Any) -> Any:
    """`input` with the slices listed replaced by those of `source`."""
    d = _check_slices("index_copy_", input, dim, index)
    if index._array.dtype.name != "int64":
        raise RuntimeError("index_copy_(): Expected a long tensor for index, but got " + index.dtype.scalar_name)
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {input.dtype.scalar_name} and (source) {source.dtype.scalar_name}"
        )
    size = _at_least_1d(input._array).shape[d]
    a = index._array
    if a.size and (int(a.min()) < 0 or int(a.max()) >= size):
        bad = int(a[(a < 0) | (a >= size)].reshape(-1)[0])
        raise IndexError(f"index_copy_(): index {bad} is out of bounds for dimension {d} with size {size}")
    if source._array.ndim and _at_least_1d(source._array).shape[d] != a.size:
        raise IndexError(
            f"index_copy_(): Number of indices ({a.size}) should be equal to source.size(dim) ({_at_least_1d(source._array).shape[d]})"
        )
    return _index_copy(input, d, index, source)


def _index_fill_arrays(a: Any, dim: int, index: Any, value: Any) -> Any:
    out = placing.copy(a)
    _at_least_1d(out)[(slice(None),) * dim + (_at_least_1d(index),)] = value
    return out


_index_fill: Any = primitive(
    "IndexFillBackward0",
    _index_fill_arrays,
    inputs=("index",),
    tensors=True,
    a=lambda g, dim, index: _index_fill(g, dim, index, 0),
)
_index_fill_tensor: Any = primitive(
    "IndexFillBackward1", lambda a, dim, index, b: _index_fill_arrays(a, dim, index, b), inputs=("index",), tensors=True,
    a=lambda g, dim, index: _index_fill(g, dim, index, 0),
    b=lambda g, dim, index: (g - _index_fill(g, dim, index, 0)).sum(),
)  # fmt: skip


@public(inplace=True)
def index_fill(input: Any, dim: int, index: Any, value: Any) -> Any:
    """`input` with the slices listed filled with one value."""
    d = wrap_dim(dim, input._array.ndim)
    if index._array.dtype.name != "int64":
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index._array.ndim > 1:
        raise IndexError("Index has to be a vector/scalar")
    size = _at_least_1d(input._array).shape[d]
    a = index._array
    if a.size and (int(a.min()) < -size or int(a.max()) >= size):
        bad = int(a[(a < -size) | (a >= size)].reshape(-1)[0])
        raise IndexError(f"index {bad} is out of bounds for dimension {d} with size {size}")
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                f"Only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
            )
        return _index_fill_tensor(input, d, index, value.to(input.dtype))
    return _index_fill(input, d, index, value)


_REDUCE = {"prod": "prod", "mean": "mean", "amax": "amax", "amin": "amin"}


@public(out=True, inplace=True)
def index_reduce(input: Any, dim: int, index: Any, source: Any, reduce: str, *, include_self: bool = True) -> Any:
    """`input` with the slices of `source` reduced into those listed: prod, mean, amax or amin."""
    if reduce not in _REDUCE:
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    warn_once("index_reduce() is in beta and the API may change at any time.")
    d = _check_slices("index_reduce", input, dim, index)
    if source._array.ndim == 0 or input._array.ndim == 0:
        full = index.reshape(-1)
        return scatter_reduce(input, d, full, source.reshape(-1), reduce, include_self=include_self)
    shape = [1] * input._array.ndim
    shape[d] = index.numel()
    full = index.reshape(shape).expand(source.shape)
    return scatter_reduce(input, d, full, source, reduce, include_self=include_self)


# ---- flat positions -------------------------------------------------------------------------------------------------------


def _flat_bounds(name: str, index: Any, n: int) -> None:
    a = index._array
    if a.dtype.name != "int64":
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {index.dtype.scalar_name}")
    if a.size and n == 0:
        raise IndexError(
            f"{name}(): tried to take from an empty tensor"
            if name == "take"
            else f"{name}_(): tried to put elements into an empty tensor"
        )
    if a.size and (int(a.min()) < -n or int(a.max()) >= n):
        raise IndexError(
            "out of range: tried to access index "
            + f"{int(a[(a < -n) | (a >= n)].reshape(-1)[0])} on a tensor of {n} elements."
        )


@public(out="apart")
def take(input: Any, index: Any) -> Any:
    """The elements at positions of the flattened tensor, in the shape of `index`."""
    n = input.numel()
    _flat_bounds("take", index, n)
    return _index_select(input.reshape(-1), 0, index.reshape(-1) % max(n, 1)).reshape(index.shape)


def _put_arrays(a: Any, index: Any, b: Any, accumulate: bool) -> Any:
    out = placing.copy(a)
    if accumulate:
        flat = a.reshape(-1).copy()
        K.index_add_(flat, 0, index, b, 1)
        out.flat = flat
    else:
        out.flat[index] = b
    return out


_put: Any = primitive(
    "PutBackward0", _put_arrays, inputs=("index",), tensors=True,
    a=lambda g, index, accumulate: g if accumulate else _put(g, index, g.new_zeros(index.shape), False),
    b=lambda g, index: take(g, index),
)  # fmt: skip


@public(inplace=True)
def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """`input` with elements of `source` written at (or added to) positions of the flattened tensor."""
    n = input.numel()
    _flat_bounds("put", index, n)
    if source.numel() != index.numel():
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = {source.numel()}, index.numel() = {index.numel()}"
        )
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {input.dtype.scalar_name} and source.dtype = {source.dtype.scalar_name}"
        )
    where = index.reshape(-1) % max(n, 1)
    return _put(input, where, source.reshape(-1), accumulate)


@public(out=True)
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """`gather` with broadcasting; without `dim` on flattened tensors."""
    if indices._array.dtype.name != "int64":
        raise RuntimeError(
            f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype.scalar_name}"
        )
    if dim is None:
        return gather(input.view(-1), 0, indices.view(-1))
    if input._array.ndim != indices._array.ndim:
        raise RuntimeError(
            f"torch.take_along_dim(): input and indices should have the same number of dimensions, but got {input._array.ndim} dimensions for input, and {indices._array.ndim} dimensions for indices"
        )
    d = wrap_dim(dim, input._array.ndim)
    n = input._array.ndim
    a, i = list(input.shape), list(indices.shape)
    both = [p if k == d else np.broadcast_shapes((p,), (q,))[0] for k, (p, q) in enumerate(zip(a, i, strict=True))]
    a = [a[k] if k == d else both[k] for k in range(n)]
    i = [i[k] if k == d else both[k] for k in range(n)]
    return gather(input.expand(a), d, indices.expand(i))


# ---- masks ------------------------------------------------------------------------------------------------------------------


def _masked_fill_arrays(a: Any, mask: Any, value: Any) -> Any:
    return placing.in_order(K.where(mask, np.asarray(value, a.dtype), a))


_masked_fill: Any = primitive(
    "MaskedFillBackward0", _masked_fill_arrays, inputs=("mask",),
    a=lambda g, a_shape, mask: sum_to_any(_masked_fill(g, mask, 0), a_shape),
)  # fmt: skip
_masked_fill_tensor: Any = primitive(
    "MaskedFillBackward1", lambda a, mask, b: _masked_fill_arrays(a, mask, b), inputs=("mask",), tensors=True,
    a=lambda g, a_shape, mask: sum_to_any(_masked_fill(g, mask, 0), a_shape),
    b=lambda g, mask: _masked_fill(g, ~mask, 0).sum(),
)  # fmt: skip


@public(inplace=True, out=True)
def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """`input` with one value where `mask` holds."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype.c_name}")
    error = broadcast_error(mask._array, input._array)
    if error is not None:
        raise error
    is_tensor = isinstance(value, Tensor)
    if is_tensor and value._array.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value._array.ndim} dimension(s)."
        )
    if (value.is_complex() if is_tensor else isinstance(value, complex)) and input.dtype.category in (1, 2):
        kind = "int64_t" if input.dtype is dtypes.int64 else input.dtype.c_name
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
    if is_tensor:
        return _masked_fill_tensor(input, mask, value.to(input.dtype))
    return _masked_fill(input, mask, value)


@public(out="apart")
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where `mask` holds, as a vector."""
    if mask._array.dtype.kind != "b":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    from .shape import broadcast_tensors

    x, m = broadcast_tensors(input, mask)
    return x[m].reshape(-1)


def _masked_scatter_arrays(a: Any, mask: Any, b: Any) -> Any:
    shape = np.broadcast_shapes(a.shape, mask.shape)
    out = np.broadcast_to(a, shape).copy()
    m = np.broadcast_to(mask, shape)
    n = int(np.count_nonzero(m))
    out[m] = b.reshape(-1)[:n]
    return out


def _masked_scatter_source(g: Any, mask: Any, b_shape: Any) -> Any:
    chosen = masked_select(g, mask)
    n = int(np.prod(b_shape))
    if chosen.numel() < n:
        from .joining import cat

        chosen = cat([chosen, chosen.new_zeros(n - chosen.numel())])
    return chosen.reshape(b_shape)


_masked_scatter: Any = primitive(
    "MaskedScatterBackward0", _masked_scatter_arrays, inputs=("mask",), tensors=True,
    a=lambda g, a_shape, mask: sum_to_any(_masked_fill(g, mask, 0), a_shape),
    b=lambda g, b_shape, mask: _masked_scatter_source(g, mask, b_shape),
)  # fmt: skip


@public(inplace=True)
def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """`input` with the elements of `source`, in order, where `mask` holds."""
    if input._array.dtype != source._array.dtype:
        raise RuntimeError(
            f"masked_scatter_: expected self and source to have same dtypes but got {input.dtype.scalar_name} and {source.dtype.scalar_name}"
        )
    if mask._array.dtype.name == "uint8":
        warn(
            "masked_scatter_ received a mask with dtype torch.uint8, this behavior is now deprecated,please use a mask with "
            "dtype torch.bool instead."
        )
    if mask._array.dtype.kind != "b":
        raise RuntimeError(
            f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype.scalar_name}"
        )
    if (
        int(np.count_nonzero(np.broadcast_to(mask._array, np.broadcast_shapes(input._array.shape, mask._array.shape))))
        > source.numel()
    ):
        raise RuntimeError("Number of elements of source < number of ones in mask")
    return _masked_scatter(input, mask, source)


@public(out=True)
def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero: rows of a matrix, or one vector a dimension."""
    a = input._array
    if as_tuple:
        return tuple(wrap(v.copy()) for v in np.nonzero(a if a.ndim else a.reshape(1)))
    return wrap(np.stack(np.nonzero(a)).T if a.ndim else np.empty((int(bool(a)), 0), np.int64))


@public
def argwhere(input: Any) -> Any:
    """The indices of the elements that are not zero, as rows."""
    return nonzero(input)


@public(out=True)
def nonzero_static(input: Any, *, size: int, fill_value: int = -1) -> Any:
    """As `nonzero`, cut or padded to `size` rows."""
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    rows = nonzero(input)._array[:size]
    out = np.full((size, input._array.ndim), fill_value, np.int64)
    out[: len(rows)] = rows
    return wrap(out)


@public
def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements are not zero, in all or along dimensions."""
    from .reduction import axes_of

    axes = axes_of(input, dim)
    a = input._array
    return wrap(K.count_nonzero(a, axes if a.ndim else None))
