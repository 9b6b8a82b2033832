"""Tensors put together: cat, stack and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, wrap_dim
from ..backend import placing
from ..dtypes import promote_types
from ..settings import warn_once
from .declare import primitive
from .publishing import public
from .shape import _unsqueezed, expand, reshape, unsqueeze
from .slicing import basic_index


def _cat_backward(g: Any, parts_shape: Any, dim: int) -> list[Any]:
    found, start = [], 0
    for shape in parts_shape:
        if shape == (0,) and (g.ndim != 1):
            found.append(_zeros(g, shape))
            continue
        stop = start + shape[dim]
        found.append(basic_index(g, (slice(None),) * dim + (slice(start, stop),)))
        start = stop
    return found


def _zeros(g: Any, shape: Any) -> Any:
    return g.new_zeros(shape) if isinstance(g, Tensor) else np.zeros(shape, g.dtype)


def _cat_arrays(parts: Any, dim: int) -> Any:
    out = np.concatenate([p for p in parts if p.shape != (0,)] or parts, dim)
    return out if out.flags.c_contiguous else placing.joined(out, *parts)


def _stack_arrays(parts: Any, dim: int) -> Any:
    out = np.stack(parts, dim)
    if out.flags.c_contiguous:
        return out
    shape = parts[0].shape
    if dim == len(shape):
        return _cat_arrays([_unsqueezed(a, dim) for a in parts], dim)
    return _cat_arrays(parts, dim).reshape((*shape[:dim], len(parts), *shape[dim:]))  # a view: the first rows of each


_cat: Any = primitive("CatBackward0", _cat_arrays, parts=lambda g, parts_shape, dim: _cat_backward(g, parts_shape, dim))
_stack: Any = primitive(
    "StackBackward0", lambda parts, dim: _stack_arrays(parts, dim),
    parts=lambda g, parts_shape, dim: [
        basic_index(g, (slice(None),) * dim + (i, ...)) for i in range(len(parts_shape))
    ],
)  # fmt: skip


def _checked(tensors: Any, name: str) -> list[Any]:
    if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    found = list(tensors)
    for i, x in enumerate(found):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    if not found:
        if name == "stack":
            raise RuntimeError("stack expects a non-empty TensorList")
        raise (
            ValueError("torch.cat(): expected a non-empty list of Tensors")
            if name == "cat"
            else RuntimeError(f"{name} expects a non-empty TensorList")
        )
    return found


def _same_type(tensors: list[Any]) -> list[Any]:
    d = tensors[0].dtype
    kind = tensors[0]._array.dtype
    if all(x._array.dtype is kind for x in tensors):
        return tensors
    for x in tensors[1:]:
        d = promote_types(d, x.dtype)
    return [x if x.dtype is d else x.to(d) for x in tensors]


@public(method=False, out="apart", aliases=("concat", "concatenate"))
def cat(tensors: Any, dim: int = 0, *, axis: int | None = None) -> Any:
    """Tensors joined along an existing dimension.

    >>> import rushlight as torch
    >>> torch.cat([torch.zeros(2), torch.ones(1)])
    tensor([0., 0., 1.])
    """
    found = _same_type(_checked(tensors, "cat"))
    dim = dim if axis is None else axis
    first = found[0]._array
    if not first.ndim or any(x._array.shape != first.shape for x in found):
        _check_shapes(found, dim)
        first = next((x._array for x in found if x._array.shape != (0,)), first)
    return _cat(found, wrap_dim(dim, first.ndim))


def _check_shapes(found: list[Any], dim: int) -> None:
    """Tensors to join agree in all dimensions but `dim`; empty vectors fit any."""
    first = next((x for x in found if x._array.shape != (0,)), found[0])
    for i, x in enumerate(found):
        if x._array.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    d = wrap_dim(dim, first._array.ndim)
    shape = first._array.shape
    for i, x in enumerate(found):
        own = x._array.shape
        if own == (0,):
            continue
        if len(own) != len(shape):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(shape)} and {len(own)}")
        for j, (n, m) in enumerate(zip(shape, own, strict=True)):
            if j != d and n != m:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {d}. Expected size {n} but got size {m} for tensor "
                    f"number {i} in the list."
                )


@public(method=False, out=True)
def stack(tensors: Any, dim: int = 0) -> Any:
    """Tensors of one shape joined along a new dimension."""
    found = _same_type(_checked(tensors, "stack"))
    d = wrap_dim(dim, found[0]._array.ndim + 1)
    shape = found[0]._array.shape
    for i, x in enumerate(found):
        if x._array.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(x._array.shape)} at entry {i}"
            )
    return _stack(found, d)


def _at_least(name: str, n: int, grow: Any) -> None:
    def op(*tensors: Any) -> Any:
        if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
            return tuple(grow(x) for x in tensors[0])
        found = tuple(grow(x) for x in tensors)
        return found[0] if len(found) == 1 else found

    op.__name__ = op.__qualname__ = name
    op.__doc__ = f"Each tensor with at least {n} dimension{'s' if n > 1 else ''}."
    public(op, method=False)


def _grow1(x: Any) -> Any:
    return reshape(x, 1) if x._array.ndim == 0 else x


def _grow2(x: Any) -> Any:
    return unsqueeze(_grow1(x), 0) if x._array.ndim < 2 else x


def _grow3(x: Any) -> Any:
    return unsqueeze(_grow2(x), -1) if x._array.ndim < 3 else x


_at_least("atleast_1d", 1, _grow1)
_at_least("atleast_2d", 2, _grow2)
_at_least("atleast_3d", 3, _grow3)


@public(method=False, out=True)
def hstack(tensors: Any) -> Any:
    """Tensors joined along the second dimension (vectors along the first)."""
    found = [_grow1(x) for x in _checked(tensors, "hstack")]
    return cat(found, 0 if found[0]._array.ndim == 1 else 1)


@public(method=False, out=True, aliases=("row_stack",))
def vstack(tensors: Any) -> Any:
    """Tensors joined along the first dimension, vectors as rows."""
    return cat([_grow2(x) for x in _checked(tensors, "vstack")], 0)


@public(method=False, out=True)
def dstack(tensors: Any) -> Any:
    """Tensors joined along the third dimension."""
    return cat([_grow3(x) for x in _checked(tensors, "dstack")], 2)


@public(method=False, out=True)
def column_stack(tensors: Any) -> Any:
    """Tensors joined along the second dimension, vectors as columns."""
    return cat([reshape(x, x.numel(), 1) if x._array.ndim <= 1 else x for x in _checked(tensors, "column_stack")], 1)


@public(method=False)
def meshgrid(*tensors: Any, indexing: str | None = None) -> Any:
    """The coordinates of a grid, from one vector a dimension; `indexing` "ij" (default) or "xy"."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    if indexing is None:
        warn_once("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.")
    for x in tensors:
        if x._array.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {x}")
    d = tensors[0].dtype
    for x in tensors:
        if x.dtype is not d:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    vectors = [_grow1(x) for x in tensors]
    swap = indexing == "xy" and len(vectors) >= 2
    if swap:
        vectors[:2] = vectors[1::-1]
    shape = tuple(x._array.size for x in vectors)
    grids = [expand(reshape(x, [-1 if i == j else 1 for j in range(len(shape))]), shape) for i, x in enumerate(vectors)]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


@public(method=False)
def block_diag(*tensors: Any) -> Any:
    """Matrices on the diagonal of a larger one of zeros."""
    from .creation import filled, finish

    blocks = _same_type([_grow2(x) for x in tensors]) if tensors else []
    if not blocks:
        return finish(filled((1, 0), 0, None))
    rows = []
    total = sum(b.shape[1] for b in blocks)
    before = 0
    for b in blocks:
        n, m = b.shape
        rows.append(cat([b.new_zeros(n, before), b, b.new_zeros(n, total - before - m)], 1))
        before += m
    return cat(rows, 0)


@public(method=False)
def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of the elements of vectors, as rows."""
    if len(tensors) == 1:
        return tensors[0]
    grids = meshgrid(*tensors, indexing="ij")
    return stack([g.flatten() for g in grids], 1)
