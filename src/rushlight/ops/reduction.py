"""Sums, means and other ways from many elements to few."""

from __future__ import annotations

from typing import Any


from .. import dtypes
from ..autograd.tensor import Tensor, wrap_dim
from ..backend import kernels as K
from .declare import is_array, primitive, public, type_error
from .shape import _expand, reshape_any, wrap_dims


def axes_of(x: Any, dim: Any) -> tuple[int, ...] | None:
    """`dim` (None, a number or several) as axes; None means all."""
    if dim is None:
        return None
    n = x._array.ndim
    if isinstance(dim, (tuple, list)):
        return wrap_dims(dim, n) or None
    return (wrap_dim(dim, n),)


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape after a reduction that keeps dimensions."""
    return tuple(1 if axes is None or i in axes else n for i, n in enumerate(shape))


def spread(g: Any, shape: Any, axes: Any, keep: bool) -> Any:
    """A reduced gradient over the shape that was reduced."""
    if not keep:
        g = reshape_any(g, kept_shape(shape, axes))
    return _expand(g, shape)


_sum = primitive(
    "SumBackward0", lambda a, axes, keep: K.sum(a, axes, keep), a=lambda g, a_shape, axes, keep: spread(g, a_shape, axes, keep)
)


def _real_axes(x: Any, axes: Any) -> Any:
    """No axes for a 0-d tensor: NumPy has none there."""
    return () if x._array.ndim == 0 and axes is not None else axes


@public(name="sum", out=True)
def sum_(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    """The sum of all elements, or along dimensions; integers and bools sum to int64.

    >>> import rushlight as torch
    >>> torch.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """
    if not isinstance(input, Tensor):
        if is_array(input):
            return K.sum(input, dim, keepdim)
        raise type_error("sum", input)
    if axis is not None:
        dim = axis
    x = input
    if dtype is not None:
        x = x.to(dtype)
    elif x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    return _sum(x, _real_axes(x, axes_of(x, dim)), keepdim or keepdims)


_mean = primitive(
    "MeanBackward0", lambda a, axes, keep: K.mean(a, axes, keep),
    a=lambda g, a_shape, axes, keep: spread(g, a_shape, axes, keep) / count(a_shape, axes),
)  # fmt: skip


def count(shape: tuple[int, ...], axes: Any) -> int:
    """How many elements a reduction joins into one."""
    n = 1
    for i, size in enumerate(shape):
        if axes is None or i in axes:
            n *= size
    return n


@public(out=True)
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Any:  # noqa: A002
    """The mean of all elements, or along dimensions."""
    if not isinstance(input, Tensor):
        raise type_error("mean", input)
    x = input if dtype is None else input.to(dtype)
    if x.dtype.category < dtypes.FLOAT:
        what = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {what} dtype must be either a floating point or complex dtype. Got: "
            f"{x.dtype.scalar_name}"
        )
    axes = axes_of(x, dim if axis is None else axis)
    return _mean(x, _real_axes(x, axes), keepdim)


