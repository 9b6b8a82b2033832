"""Elements in another order or many times over: flip, roll, repeat, triangles and diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, wrap, wrap_dim
from ..backend import placing
from ..layout import contiguous_format
from ..size import check_bytes
from .declare import primitive
from .publishing import attach, public
from .shape import clone, ints, reshape, transpose, wrap_dims
from .slicing import diagonal


def _flip_array(a: Any, dims: Any) -> Any:
    out = placing.empty_like(a)
    np.copyto(out, np.flip(a, dims))
    return out


_flip: Any = primitive("FlipBackward0", lambda a, dims: _flip_array(a, dims), a=lambda g, dims: _flip(g, dims))


@public
def flip(input: Any, *args: Any, dims: Any = None) -> Any:
    """A copy with the order of the elements reversed along dimensions."""
    return _flip(input, wrap_dims(ints(args or (dims,)), input._array.ndim) if input._array.ndim else ())


@public
def fliplr(input: Any) -> Any:
    """`flip` along the second dimension."""
    if input._array.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


@public
def flipud(input: Any) -> Any:
    """`flip` along the first dimension."""
    if input._array.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


_roll: Any = primitive(
    "RollBackward0", lambda a, shifts, dims: placing.joined(np.roll(a, shifts, dims), a),
    a=lambda g, shifts, dims: _roll(g, tuple(-s for s in shifts), dims),
)  # fmt: skip


@public
def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Elements shifted along dimensions, those that leave one end entering at the other."""
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if dims is None or (isinstance(dims, (tuple, list)) and not dims):
        if len(shifts) != 1:
            raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:0")
        return (
            roll(input.reshape(-1), shifts, 0).reshape(input.shape)
            if input._array.ndim != 1
            else roll(input, shifts, 0)
        )
    dims = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(dims) != len(shifts):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    return _roll(input, shifts, tuple(wrap_dim(d, input._array.ndim) for d in dims))


@public
def rot90(input: Any, k: int = 1, dims: Any = (0, 1)) -> Any:
    """Rotated by 90 degrees `k` times in the plane of two dimensions."""
    n = input._array.ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == n:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    for i, d in enumerate(dims):
        if not -n <= d < n:
            raise RuntimeError(f"Rotation dim{i} out of range, dim{i} = {d}")
    k %= 4
    if k == 1:
        return transpose(flip(input, dims[1]), *dims).clone()
    if k == 2:
        return flip(input, dims)
    if k == 3:
        return transpose(flip(input, dims[0]), *dims).clone()
    return clone(input)


def _repeat_backward(g: Any, a_shape: Any, repeats: Any) -> Any:
    lead = len(repeats) - len(a_shape)
    own = (1,) * lead + tuple(a_shape)
    if 0 in repeats:
        return g.new_zeros(a_shape)
    split = [n for pair in zip(repeats, own, strict=True) for n in pair]
    return g.reshape(split).sum(tuple(range(0, len(split), 2))).reshape(a_shape)


_repeat: Any = primitive(
    "RepeatBackward0", lambda a, repeats: np.tile(a, repeats), tensors=True,
    a=lambda g, a_shape, repeats: _repeat_backward(g, a_shape, repeats),
)  # fmt: skip


def _repeat_method(self: Any, *args: Any, repeats: Any = None) -> Any:
    """The tensor repeated along each dimension, as a copy."""
    if not args and repeats is None:
        raise TypeError('repeat() missing 1 required positional arguments: "repeats"')
    counts = ints(args or (repeats,))
    if len(counts) < self._array.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if any(n < 0 for n in counts):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(counts)}: {list(counts)}")
    own = (1,) * (len(counts) - self._array.ndim) + self._array.shape
    check_bytes([n * k for n, k in zip(own, counts, strict=True)], self._array.itemsize)
    return _repeat(self, counts)


attach("repeat", _repeat_method)


@public
def tile(input: Any, *args: Any, dims: Any = None) -> Any:
    """Repeated along each dimension; missing leading counts are one."""
    counts = ints(args or (dims,))
    return _repeat_method(input, (1,) * (input._array.ndim - len(counts)) + tuple(counts))


@public
def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Each element (or slice) repeated in place: once, or as often as `repeats` says for it."""
    if repeats is None:  # the counts alone: their indices
        if input._array.ndim != 1:
            raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
        if input._array.dtype.name not in ("int64", "int32"):
            raise RuntimeError("repeats has to be Long or Int tensor")
        if input._array.size and int(input._array.min()) < 0:
            raise RuntimeError("repeats can not be negative")
        check_bytes((sum(input._array.tolist()),), 8)
        return wrap(np.repeat(np.arange(input.numel()), input._array).astype(input._array.dtype))
    x = input
    if dim is None:
        x, dim = reshape(x, -1), 0
    d = wrap_dim(dim, x._array.ndim)
    n = x._array.shape[d] if x._array.ndim else 1
    if isinstance(repeats, Tensor):
        if repeats._array.dtype.name not in ("int64", "int32"):
            raise RuntimeError("repeats has to be Long or Int tensor")
        if repeats._array.ndim > 1:
            raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
        counts = np.broadcast_to(repeats._array.reshape(-1), (n,)) if repeats.numel() == 1 else repeats._array
        if counts.shape != (n,):
            raise RuntimeError(
                f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and input.size({d}) = {n}"
            )
    else:
        counts = np.full(n, repeats)
    if counts.size and int(counts.min()) < 0:
        raise RuntimeError("repeats can not be negative")
    if x._array.ndim == 0:
        return repeat_interleave(reshape(x, 1), repeats, 0)
    total = sum(counts.tolist()) if isinstance(repeats, Tensor) else n * int(repeats)
    check_bytes((total, *x._array.shape[:d], *x._array.shape[d + 1 :]), max(x._array.itemsize, 8))
    return x.index_select(d, wrap(np.repeat(np.arange(n), counts)))


# ---- triangles and diagonals ---------------------------------------------------------------------------------------------


def _contiguous_like(name: str, function: Any) -> Any:
    made: Any = primitive(name, lambda a, k: np.ascontiguousarray(function(a, k)), a=lambda g, k: made(g, k))
    return made


_tril, _triu = _contiguous_like("TrilBackward0", np.tril), _contiguous_like("TriuBackward0", np.triu)


def _triangle(name: str, op: Any) -> None:
    def triangle(input: Any, diagonal: int = 0) -> Any:
        if input._array.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return op(input, diagonal)

    triangle.__name__ = triangle.__qualname__ = name
    triangle.__doc__ = f"The {'lower' if name == 'tril' else 'upper'} triangle of matrices, zeros elsewhere."
    public(triangle, name=name, inplace=True, out=True)


_triangle("tril", _tril)
_triangle("triu", _triu)


def _indices(name: str, function: Any) -> None:
    def indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, **options: Any) -> Any:
        from .. import dtypes
        from .creation import check_options

        check_options(options, name)
        if row < 0:
            raise RuntimeError(f"row must be non-negative, got{row}")
        if col < 0:
            raise RuntimeError(f"col must be non-negative, got{col}")
        found = np.stack(function(row, offset, col)) if row and col else np.zeros((2, 0))
        return wrap(found.astype(dtypes.to_numpy(dtype or dtypes.int64)))

    indices.__name__ = indices.__qualname__ = name
    indices.__doc__ = f"The row and column indices of the {'lower' if 'l_' in name else 'upper'} triangle, in two rows."
    public(indices, name=name, method=False)


_indices("tril_indices", np.tril_indices)
_indices("triu_indices", np.triu_indices)


@public(out=True)
def diag(input: Any, diagonal: int = 0) -> Any:
    """A vector as the diagonal of a matrix, or the diagonal of a matrix."""
    if input._array.ndim == 1:
        return diag_embed(input, diagonal)
    if input._array.ndim != 2:
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input._array.ndim}D")
    return diagonal_copy(input, diagonal)


@public(out=True)
def diagonal_copy(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, as a copy."""
    return clone(diagonal(input, offset, dim1, dim2), memory_format=contiguous_format)


@public
def diagflat(input: Any, offset: int = 0) -> Any:
    """All elements as the diagonal of a matrix."""
    return diag_embed(reshape(input, -1), offset)


@public
def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The last dimension as the diagonal of two new ones."""
    n = input._array.ndim + 1
    d1, d2 = wrap_dim(dim1, n), wrap_dim(dim2, n)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    size = input._array.shape[-1] + abs(offset)
    shape = list(input._array.shape[:-1])
    for d in sorted((d1, d2)):
        shape.insert(d, size)
    return input.new_zeros(shape).diagonal_scatter(input, offset, d1, d2)


@public(out=True)
def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    return diagonal(input).sum()


attach("fill_diagonal_", lambda self, fill_value, wrap=False: _fill_diagonal(self, fill_value, wrap))


def _fill_diagonal(x: Any, value: Any, around: bool) -> Any:
    """Write one value on the main diagonal, in place; `around` goes on after tall matrices' last row."""
    n = x._array.ndim
    if n < 2:
        raise RuntimeError("dimensions must larger than 1")
    if n > 2 and len(set(x._array.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    mask = np.zeros(x._array.shape, bool)
    np.fill_diagonal(mask, True, wrap=around)
    return x.masked_fill_(wrap(mask), value)


@public(method=False)
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The Vandermonde matrix of a vector."""
    if x._array.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    n = x.numel() if N is None else N
    if n < 0:
        raise RuntimeError("N must be non-negative.")
    powers = wrap(np.arange(n) if increasing else np.arange(n)[::-1].copy())
    return x.unsqueeze(-1) ** powers
