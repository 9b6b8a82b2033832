"""Reductions in NumPy. `axis` is None (all), an int or a tuple; nan wins in amax, amin, argmax and argmin.

Integers and booleans sum to int64. float32 and narrower accumulate in float64 and are rounded once: independent of the
order, and better than the native kernels' pairwise sums, whose reference this is. Results are copied into C order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rushlight.backend.numpy.precision import widen

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "cumprod", "cumsum", "logsumexp", "mean", "prod",
    "sum", "var",
]  # fmt: skip

Array = np.ndarray[Any, Any]
# NumPy's stubs know no `keepdims` that is not a literal.
_add: Any = np.add
_and: Any = np.logical_and
_or: Any = np.logical_or
Axis = int | tuple[int, ...] | None


def _accumulator(a: Array) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """The dtype to accumulate in and the dtype of the result."""
    if a.dtype.kind in "biu":
        return np.dtype(np.int64), np.dtype(np.int64)
    if a.dtype.kind == "c":
        return np.dtype(np.complex128), a.dtype
    return np.dtype(np.float64), a.dtype


def _accumulating(ufunc: Any) -> Callable[..., Any]:
    def reduce(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
        wide, narrow = _accumulator(a)
        with np.errstate(all="ignore"):
            result = ufunc.reduce(a if a.dtype.kind != "V" else widen(a), axis, wide, keepdims=keepdims)
            return np.array(result, narrow, order="C")

    return reduce


sum = _accumulating(np.add)
prod = _accumulating(np.multiply)


def _count(a: Array, axis: Axis) -> int:
    if axis is None:
        return a.size
    n = 1
    for each in (axis,) if isinstance(axis, int) else axis:
        n *= a.shape[each]
    return n


def mean(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """The mean; nan of nothing."""
    wide, narrow = _accumulator(a)
    with np.errstate(all="ignore"):
        total = _add.reduce(a if a.dtype.kind != "V" else widen(a), axis, wide, keepdims=keepdims)
        return np.array(np.true_divide(total, _count(a, axis)), narrow, order="C")


def var(a: Array, axis: Axis = None, keepdims: bool = False, correction: float = 1) -> Array:
    """The variance, in two passes, over `count - correction` (held at 0: then the result is inf or nan)."""
    wide, narrow = _accumulator(a)
    if narrow.kind == "c":
        narrow = np.empty(0, narrow).real.dtype
    with np.errstate(all="ignore"):
        b = a.astype(wide)
        n = _count(a, axis)
        d = b - np.true_divide(_add.reduce(b, axis, keepdims=True), n)
        squares = (d * np.conj(d)).real
        total = np.true_divide(_add.reduce(squares, axis, keepdims=keepdims), max(n - correction, 0))
        return np.array(total, narrow, order="C")


def _extreme(ufunc: Any) -> Callable[..., Any]:
    def reduce(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
        with np.errstate(all="ignore"):
            return np.array(ufunc.reduce(widen(a), axis, keepdims=keepdims), a.dtype, order="C")

    return reduce


amax = _extreme(np.maximum)
amin = _extreme(np.minimum)


def _arg(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
        if isinstance(axis, tuple):
            (axis,) = axis
        return np.array(function(widen(a), axis, keepdims=keepdims), dtype=np.int64, order="C")

    return reduce


argmax = _arg(np.argmax)
argmin = _arg(np.argmin)


def all(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether every element is true (nan is)."""
    return np.array(_and.reduce(widen(a), axis, keepdims=keepdims), dtype=bool, order="C")


def any(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """Whether some element is true (nan is)."""
    return np.array(_or.reduce(widen(a), axis, keepdims=keepdims), dtype=bool, order="C")


def count_nonzero(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """How many elements are not zero, int64."""
    return np.array(np.count_nonzero(widen(a), axis, keepdims=keepdims), dtype=np.int64, order="C")


def logsumexp(a: Array, axis: Axis = None, keepdims: bool = False) -> Array:
    """`log(sum(exp(a)))`, without overflow."""
    b = widen(a)
    with np.errstate(all="ignore"):
        top = np.maximum.reduce(b.real, axis, keepdims=True, initial=-np.inf)
        top = np.where(np.isinf(top), 0, top)
        total = np.log(_add.reduce(np.exp(b - top), axis, keepdims=True)) + top
        result = total if keepdims else total.reshape(_add.reduce(b, axis).shape)
        return np.array(result, a.dtype, order="C")


def _cumulative(ufunc: Any) -> Callable[..., Any]:
    def accumulate(a: Array, axis: Axis, keepdims: bool = False) -> Array:
        if isinstance(axis, tuple):
            (axis,) = axis
        wide, narrow = _accumulator(a)
        if a.ndim == 0:
            return a.astype(narrow)
        with np.errstate(all="ignore"):
            result: Array = ufunc.accumulate(widen(a), axis, wide).astype(narrow, copy=False)
            return result

    return accumulate


cumsum = _cumulative(np.add)
cumprod = _cumulative(np.multiply)

for _name, _doc in {
    "sum": "The sum.", "prod": "The product.", "amax": "The greatest element.", "amin": "The least element.",
    "argmax": "Where the greatest element is: the first of equals.", "cumsum": "The running sum along one axis.",
    "argmin": "Where the least element is: the first of equals.", "cumprod": "The running product along one axis.",
}.items():  # fmt: skip
    _function = globals()[_name]
    _function.__name__ = _function.__qualname__ = _name
    _function.__doc__ = _doc
