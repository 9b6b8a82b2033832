"""Parts of a tensor as views: slices, splits, diagonals, windows, and any strides; and such parts replaced."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import views
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, wrap_dim
from ..backend import placing
from ..backend.memory import storage_of
from ..layout import contiguous_format
from .declare import primitive
from .publishing import FUNCTIONS, attach, public
from .shape import clone, unsqueeze

as_strided_array = np.lib.stride_tricks.as_strided


# ---- strided views -----------------------------------------------------------------------------------------------------------


def _slice_backward(g: Any, a_shape: Any, key: Any) -> Any:
    if isinstance(g, Tensor):
        zero = g.new_zeros(a_shape)
        return _slice_scatter(zero, g, key)
    out = np.zeros(a_shape, g.dtype)
    out[key] = g
    return out


def _slice_put(a: Any, b: Any, key: Any) -> Any:
    out = placing.copy_strides(a)
    out[key] = b
    return out


def _cleared(g: Any, key: Any) -> Any:
    """`g` with zeros in the part `key`."""
    if isinstance(g, Tensor):
        return _slice_scatter(g, g.new_zeros(g._array[key].shape), key)
    out = g.copy()
    out[key] = 0
    return out


def basic_index(x: Any, key: Any) -> Any:
    """The part of an array or Tensor that a basic NumPy index selects, as a view."""
    return _slice(x, key)


_kept: Any = primitive("CloneBackward0", lambda a: placing.copy_strides(a), a=lambda g: g)
_slice_scatter: Any = primitive(
    "SliceScatterBackward0", _slice_put, a=lambda g, key: _cleared(g, key), b=lambda g, key: basic_index(g, key)
)
_slice: Any = primitive(
    "SliceBackward0", lambda a, key: a[key], view=True, a=lambda g, a_shape, key: _slice_backward(g, a_shape, key)
)
_select: Any = primitive(
    "SelectBackward0",
    lambda a, key: a[(*key, ...)],
    view=True,
    a=lambda g, a_shape, key: _slice_backward(g, a_shape, key),
)


@public
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """`length` indices of one dimension, from `start`."""
    n = input._array.ndim
    if n == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    d = wrap_dim(dim, n)
    size = input._array.shape[d]
    if isinstance(start, Tensor):
        if start._array.ndim != 0 or start._array.dtype.kind not in "iu":
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = int(start.item())
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [-{size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return _slice(input, (slice(None),) * d + (slice(start, start + length),))


@public(out=True)
def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """As `narrow`, as a copy."""
    if dim >= max(input._array.ndim, 1):
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error message be "
            "improved?  If so, please report an enhancement request to PyTorch.)"
        )
    return clone(narrow(input, dim, start, length), memory_format=contiguous_format)


@public
def select(input: Any, dim: int, index: Any) -> Any:
    """One index of one dimension, which disappears."""
    n = input._array.ndim
    if n == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(dim, n)
    size = input._array.shape[d]
    index = index.__index__()
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at dimension {d}"
        )
    return _select(input, (slice(None),) * d + (index % size,))


def _split_backward(g: Any, a_shape: Any, keys: Any) -> Any:
    out = np.zeros(a_shape, g[0].dtype)
    for key, part in zip(keys, g, strict=True):
        out[key] = part
    return out


def _split_backward_graph(g: Any, a_shape: Any, keys: Any, dim: int) -> Any:
    from .joining import cat

    return cat(list(g), dim)


def _split_arrays(a: Any, keys: Any, dim: int) -> Any:
    return [a[key] for key in keys]


def _splitting(name: str) -> Any:
    return primitive(
        name, _split_arrays, multi_view=True,
        a=lambda g, a_shape, keys: _split_backward(g if isinstance(g, list) else [g], a_shape, keys),
        graph={"a": lambda g, a_shape, keys, dim: _split_backward_graph(g if isinstance(g, list) else [g], a_shape, keys, dim)},
    )  # fmt: skip


_split, _split_sizes = _splitting("SplitBackward0"), _splitting("SplitWithSizesBackward0")
_unbind: Any = primitive(
    "UnbindBackward0", lambda a, dim: [a[(slice(None),) * dim + (i, ...)] for i in range(a.shape[dim])], multi_view=True,
    a=lambda g, a_shape, dim: np.stack(g if isinstance(g, list) else [g], dim),
    graph={"a": lambda g, dim: _stack_any(g if isinstance(g, list) else [g], dim)},
)  # fmt: skip


def _stack_any(parts: Any, dim: int) -> Any:
    from .joining import stack

    return stack(parts, dim)


def _split_at(x: Any, bounds: Sequence[int], d: int, op: Any = None) -> Any:
    keys = [(slice(None),) * d + (slice(i, j),) for i, j in itertools.pairwise(bounds)]
    return (op or _split)(x, keys, d)


@public(method=False)
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Views of consecutive parts along one dimension: of one size, or of the given sizes."""
    n = tensor._array.ndim
    if n == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, n)
    size = tensor._array.shape[d]
    if isinstance(split_size_or_sections, (int, np.integer)) or (
        isinstance(split_size_or_sections, Tensor) and split_size_or_sections._array.ndim == 0
    ):
        step = int(split_size_or_sections)
        if step < 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        if step == 0:
            if size:
                raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
            return (basic_index(tensor, (slice(None),)),)
        bounds = [*range(0, size, step), size] if size else [0, 0]
        return _split_at(tensor, bounds, d)
    sizes = [int(s) for s in split_size_or_sections]
    if sum(sizes) != size or any(s < 0 for s in sizes):
        if any(s < 0 for s in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes}"
            )
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension {d}), but "
            f"got split_sizes={sizes}"
        )
    bounds = [0]
    for s in sizes:
        bounds.append(bounds[-1] + s)
    return _split_at(tensor, bounds, d, _split_sizes)


def _split_method(self: Any, split_size: Any, dim: int = 0) -> Any:
    """See `split`."""
    return split(self, split_size, dim)


attach("split", _split_method)
public(
    split_with_sizes := lambda input, split_sizes, dim=0: split(input, list(split_sizes), dim), name="split_with_sizes"
)


@public
def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """At most `chunks` views of equal length (the last may be shorter)."""
    if input._array.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = wrap_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    step = max(-(-size // chunks), 0)
    if step == 0:
        return _split_at(input, [0] * (chunks + 1), d)
    return split(input, step, d)


@public
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> Any:
    """Views of parts whose lengths differ by at most one, or that begin at the given indices."""
    if input._array.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    d = wrap_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    if isinstance(indices_or_sections, Tensor):
        if indices_or_sections._array.dtype.name != "int64":
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
                f"{indices_or_sections.dtype.scalar_name}"
            )
        if indices_or_sections._array.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                f"but got a tensor with {indices_or_sections._array.ndim} dims"
            )
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        n = indices_or_sections
        if n <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {n}")
        lengths = [size // n + (i < size % n) for i in range(n)]
        starts = [0]
        for length in lengths:
            starts.append(starts[-1] + length)
        pairs = list(itertools.pairwise(starts))
    else:
        points = [0, *indices_or_sections, size]
        pairs = list(itertools.pairwise(points))
    return tuple(basic_index(input, (slice(None),) * d + (slice(i, j),)) for i, j in pairs)


def _stacked_split(name: str, dim_of: Any, minimum: int, message: str) -> None:
    def op(input: Any, indices_or_sections: Any) -> Any:
        n = input._array.ndim
        if n < minimum:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {minimum} dimension{'s' if minimum > 1 else ''}, but got a tensor with {n} dimensions!"
            )
        d = dim_of(n)
        if isinstance(indices_or_sections, int) and indices_or_sections and input._array.shape[d] % indices_or_sections:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {d}, but the size of the dimension "
                f"{input._array.shape[d]} is not divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, d)

    op.__name__ = op.__qualname__ = name
    op.__doc__ = message
    public(op)


_stacked_split(
    "hsplit", lambda n: 0 if n == 1 else 1, 1, "`tensor_split` along the second dimension (the first of a vector)."
)
_stacked_split("vsplit", lambda n: 0, 2, "`tensor_split` along the first dimension.")
_stacked_split("dsplit", lambda n: 2, 3, "`tensor_split` along the third dimension.")


@public
def unbind(input: Any, dim: int = 0) -> Any:
    """The slices along one dimension, as a tuple of views."""
    if input._array.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    d = wrap_dim(dim, input._array.ndim)
    return _unbind(input, d) if input._array.shape[d] else ()


# ---- diagonals, windows, as_strided --------------------------------------------------------------------------------------------


def _diagonal_backward(g: Any, a_shape: Any, offset: int, d1: int, d2: int) -> Any:
    out = np.zeros(a_shape, g.dtype)
    _diagonal_view(out, offset, d1, d2)[...] = g
    return out


def _diagonal_view(a: Any, offset: int, d1: int, d2: int) -> Any:
    rows, columns = a.shape[d1], a.shape[d2]
    n = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    rest = [i for i in range(a.ndim) if i not in (d1, d2)]
    shape = [a.shape[i] for i in rest] + [n]
    strides = [a.strides[i] for i in rest] + [a.strides[d1] + a.strides[d2]]
    start: list[Any] = [slice(None)] * a.ndim
    if n:
        start[d2 if offset >= 0 else d1] = slice(abs(offset), None)
    return as_strided_array(a[tuple(start)], shape, strides)


_diagonal: Any = primitive(
    "DiagonalBackward0", _diagonal_view, view=True,
    a=lambda g, a_shape, offset, d1, d2: _diagonal_backward(g, a_shape, offset, d1, d2),
    graph={"a": lambda g, a_shape, offset, d1, d2: g.new_zeros(a_shape).diagonal_scatter(g, offset, d1, d2)},
)  # fmt: skip


@public
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, as the last dimension of a view."""
    n = input._array.ndim
    d1, d2 = wrap_dim(dim1, n), wrap_dim(dim2, n)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _diagonal(input, offset, d1, d2)


@public
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """`input` with its diagonal replaced by `src`."""
    out = _kept(input)
    target = diagonal(out, offset, dim1, dim2)
    if target.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(target.shape)}"
        )
    target.copy_(src)
    return out


def _unfold_view(a: Any, d: int, size: int, step: int) -> Any:
    count = (a.shape[d] - size) // step + 1
    shape = (*a.shape[:d], count, *a.shape[d + 1 :], size)
    strides = (*a.strides[:d], a.strides[d] * step, *a.strides[d + 1 :], a.strides[d])
    return as_strided_array(a, shape, strides)


def _unfold_backward(g: Any, a_shape: Any, d: int, size: int, step: int) -> Any:
    out = np.zeros(a_shape, g.dtype)
    windows = _unfold_view(out, d, size, step)
    for i in range(size):  # one offset at a time never writes an element twice
        windows[..., i] += g[..., i]
    return out


_unfold: Any = primitive(
    "UnfoldBackward0", _unfold_view, view=True,
    a=lambda g, a_shape, d, size, step: _unfold_backward_op(g, a_shape, d, size, step),
)  # fmt: skip
_unfold_backward_op: Any = primitive(
    "UnfoldBackwardBackward0", lambda b, a_shape, d, size, step: _unfold_backward(b, a_shape, d, size, step),
    b=lambda g, d, size, step: _unfold(g, d, size, step),
)  # fmt: skip


def _unfold_method(self: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` elements every `step` along one dimension, as a view with a new last dimension."""
    x = self
    if x._array.ndim == 0:
        x, dimension = unsqueeze(x, 0), 0
        if size > 1:
            raise RuntimeError(f"maximum size for tensor at dimension 0 is 1 but size is {size}")
        return _unfold(x, 0, size, step).squeeze(0)
    d = wrap_dim(dimension, x._array.ndim)
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > x._array.shape[d]:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {x._array.shape[d]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _unfold(x, d, size, step)


attach("unfold", _unfold_method)


def _as_strided_of(a: Any, size: Any, stride: Any, offset: Any) -> Any:
    root = storage_of(a)
    itemsize = a.itemsize
    start = root.ctypes.data if offset is not None else a.ctypes.data
    place = start + (offset or 0) * itemsize
    low = root.ctypes.data if root.flags.c_contiguous or root.flags.f_contiguous else _lowest(root)
    end = (
        place + (sum((n - 1) * s for n, s in zip(size, stride, strict=True)) + 1) * itemsize if 0 not in size else place
    )
    if end > low + root.nbytes or place < low:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {(place - low) // itemsize}, and "
            f"itemsize {itemsize} requiring a storage size of {end - low} are out of bounds for storage of size {root.nbytes}"
        )
    flat = root.reshape(-1) if root.flags.c_contiguous else root.ravel(order="K")
    if flat.dtype != a.dtype:
        flat = flat.view(a.dtype)
    part = flat[(place - low) // itemsize :]
    return as_strided_array(part, tuple(size), tuple(s * itemsize for s in stride))


def _lowest(a: Any) -> int:
    return int(a.ctypes.data)


def _as_strided_record(x: Any, a: Any) -> Any:
    mode = get_mode()
    edge = None
    if mode.grad and x.requires_grad:
        node = views.AsStridedBackward0(x._array, a)
        node.edges = (x._edge,)
        edge = (node, 0)
    return views.view_of(x, a, edge, mode)


@public(aliases=())
def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of `input`'s storage with any shape and strides (in elements)."""
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: got {len(stride)} and {len(size)}")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    return _as_strided_record(input, _as_strided_of(input._array, size, stride, storage_offset))


def as_strided_(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """Give this tensor another shape and strides over its storage."""
    if get_mode().grad and input.requires_grad:
        views.check_inplace(input)
        y = as_strided(input, size, stride, storage_offset)
        input._array, input._edge = y._array, y._edge
        return input
    input._array = _as_strided_of(input._array, tuple(size), tuple(stride), storage_offset)
    return input


attach("as_strided_", as_strided_)
FUNCTIONS["as_strided_"] = as_strided_


@public
def as_strided_scatter(input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """`input` with the elements that `as_strided` would show replaced by `src`."""
    out = _kept(input)
    as_strided(out, size, stride, storage_offset).copy_(src)
    return out


@public
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """`input` with one index of a dimension replaced by `src`."""
    n = input._array.ndim
    d = wrap_dim(dim, n)
    part = select(input, d, index)
    if part.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(part.shape)}"
        )
    return _slice_scatter(input, src.to(input.dtype), (slice(None),) * d + (index % input._array.shape[d],))


@public(out=True)
def slice_scatter(input: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    """`input` with a slice of a dimension replaced by `src`."""
    d = wrap_dim(dim, input._array.ndim)
    key = (slice(None),) * d + (slice(start, end, step),)
    part = input._array[key]
    if part.shape != src._array.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(part.shape)}"
        )
    return _slice_scatter(input, src.to(input.dtype), key)
