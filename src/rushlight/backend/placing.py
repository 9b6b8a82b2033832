"""The layout that a result has in memory: PyTorch's rules for the strides of new arrays, each in one place.

There are four. An element-wise result follows its operands (`follow`); a copy, or anything "like" an array, follows that
one (`copy`, `empty_like`); most of the rest is in C order (`in_order`); and LAPACK's matrices lie by columns (`columns`).
Pictures (4 and 5 dimensions) may also lie with the channels innermost, and layers of pictures hand that on
(`channels_last`). Strides are in bytes, as NumPy's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

Array = Any  # numpy.ndarray


def is_dense(a: Array) -> bool:
    """Whether the elements fill a stretch of memory, in whatever order."""
    if a.flags.c_contiguous:
        return True
    expected = a.itemsize
    for stride, n in sorted(zip(a.strides, a.shape, strict=True)):
        if n != 1:
            if stride != expected:
                return False
            expected *= n
    return True


def empty(shape: Sequence[int], order: Iterable[int], dtype: Any) -> Array:
    """A new array whose dimensions lie in memory in `order`, outermost first."""
    axes = tuple(order)
    back = sorted(range(len(axes)), key=axes.__getitem__)
    return np.empty([shape[axis] for axis in axes], dtype).transpose(back)


def empty_like(a: Array, dtype: Any = None) -> Array:
    """A new array laid out as a dense `a`, and in the order of its dimensions where it is not dense."""
    dtype = a.dtype if dtype is None else dtype
    if a.flags.c_contiguous:
        return np.empty(a.shape, dtype)
    if is_dense(a):
        ratio = np.dtype(dtype).itemsize
        strides = [step // a.itemsize * ratio for step in a.strides]
        return np.ndarray(a.shape, dtype, np.empty(a.size, dtype), 0, strides)
    return empty(a.shape, order_of(a.shape, [a.strides]), dtype)


def copy(a: Array) -> Array:
    """A copy of `a` in the layout of `empty_like`."""
    if a.flags.c_contiguous:
        return a.copy()
    out = empty_like(a)
    np.copyto(out, a)
    return out


def copy_strides(a: Array) -> Array:
    """A copy of `a` with its very strides, gaps included, unless elements share memory."""
    strides = a.strides
    if (
        is_dense(a)
        or any(step < 0 or (not step and n > 1) for n, step in zip(a.shape, strides, strict=True))
        or not a.size
    ):
        return copy(a)
    span = a.itemsize + sum([(n - 1) * step for n, step in zip(a.shape, strides, strict=True)])
    out = np.ndarray(a.shape, a.dtype, np.zeros(span // a.itemsize, a.dtype), 0, strides)
    np.copyto(out, a)
    return out


def in_order(a: Array) -> Array:
    """`a` itself if it is in C order, else a copy that is."""
    return a if a.flags.c_contiguous else a.copy("C")


def placed(result: Array, template: Array) -> Array:
    """`result`, copied where it does not lie in the layout of `empty_like(template)`."""
    if template.flags.c_contiguous:
        return in_order(result)
    return _moved(result, empty_like(template, result.dtype))


def ordered(result: Array, order: Sequence[int]) -> Array:
    """`result`, copied where its dimensions do not lie in memory in `order`, outermost first."""
    axes = tuple(order)
    return (
        result if result.transpose(axes).flags.c_contiguous else _moved(result, empty(result.shape, axes, result.dtype))
    )


def _moved(result: Array, target: Array) -> Array:
    if result.strides == target.strides:
        return result
    np.copyto(target, result)
    return target


def follow(result: Array, *operands: Array) -> Array:
    """An element-wise result in the layout that PyTorch gives it, copied where it lies otherwise."""
    return _moved(result, following(result.shape, operands, result.dtype))


def following(shape: Sequence[int], operands: Sequence[Array], dtype: Any) -> Array:
    """A new array for the element-wise result of operands."""
    if all(a.shape == shape for a in operands):
        if all(a.flags.c_contiguous for a in operands):
            return np.empty(shape, dtype)
        first = operands[0]
        if is_dense(first) and all(a.strides == first.strides for a in operands[1:]):
            return empty_like(first, dtype)
    return empty(shape, order_of(shape, [_broadcast(a, shape) for a in operands]), dtype)


def places_itself(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Says of an element-wise function that the one kernel it calls has placed its result."""
    kernel.places_itself = True  # type: ignore[attr-defined]
    return kernel


def elementwise(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """An element-wise kernel whose results are placed by `follow`; contiguous operands cost next to nothing."""

    @functools.wraps(kernel)
    def run(*args: Any) -> Any:
        result = kernel(*args)
        for a in args:
            if a.__class__ is np.ndarray and not a.flags.c_contiguous:
                return follow(result, *[v for v in args if v.__class__ is np.ndarray])
        return result

    return run


def _broadcast(a: Array, shape: Sequence[int]) -> list[int]:
    """The strides of an operand over the shape of the result: 0 where it repeats."""
    lead = len(shape) - a.ndim
    own = [0 if n == 1 != m else step for n, m, step in zip(a.shape, shape[lead:], a.strides, strict=True)]
    return [0] * lead + own


def order_of(shape: Sequence[int], operands: Sequence[Sequence[int]]) -> list[int]:
    """The dimensions from the outermost to the innermost in memory.

    The first operand that tells two dimensions apart decides, by their strides or else by their lengths; C order where
    none does. It is an insertion sort because the comparison is no order: what is tied with a third is not tied.
    """

    def outside(x: int, y: int) -> int:
        """1 if dimension x, further in so far, belongs outside of y, -1 if not, 0 if nothing tells."""
        for strides in operands:
            if strides[x] and strides[y]:
                if strides[x] != strides[y]:
                    return 1 if strides[x] > strides[y] else -1
                if shape[x] > shape[y]:
                    return 1
        return 0

    inward = list(range(len(shape)))[::-1]  # from the innermost outwards
    for i in range(1, len(inward)):
        at = i
        for j in reversed(range(i)):
            found = outside(inward[j], inward[at])
            if found > 0:
                inward[j], inward[at] = inward[at], inward[j]
                at = j
            elif found < 0:
                break
    return inward[::-1]


def columns(a: Array) -> Array:
    """Matrices (the last two dimensions) copied so that each lies by columns, as LAPACK leaves them."""
    turned = a.swapaxes(-1, -2)
    if turned.flags.c_contiguous and 1 not in a.shape[-2:]:  # the stride of a single row is the column's length too
        return a
    return turned.copy("C").swapaxes(-1, -2)


def channels_last(a: Array) -> bool:
    """Whether a picture's strides say that its channels lie innermost, which is what its layers hand on.

    Signals (3 dimensions) count as pictures one line high. Where lengths of one leave it open, C order wins.
    """
    shape, strides = a.shape, a.strides
    if strides[1] > strides[-1] or (strides[1] == strides[-1] and shape[1] > 1):
        return False
    if a.ndim == 3:
        shape, strides = (*shape[:2], 1, shape[2]), (*strides[:2], shape[2] * strides[2], strides[2])
    least = 0
    for d in (1, *range(len(shape) - 1, 1, -1), 0):
        if not shape[d] or strides[d] < least or (d == 0 and least == strides[1]) or not strides[1]:
            return False
        least = strides[d] * max(shape[d], 1)
    return True


def picture(result: Array, last: bool, fresh: bool = False) -> Array:
    """What a layer of pictures returns: in C order, or with the channels last; `fresh`: in any case a copy."""
    if not last:
        return in_order(result)
    n = result.ndim
    turned = result.transpose((0, *range(2, n), 1))
    if fresh or not turned.flags.c_contiguous or 1 in result.shape:
        turned = turned.copy("C")
    return turned.transpose((0, n - 1, *range(1, n - 1)))


def joined(result: Array, *parts: Array) -> Array:
    """What joins parts: channels last where all parts are pictures that lie so, else in C order."""
    return picture(
        result, result.ndim in (4, 5) and all(part.ndim == result.ndim and channels_last(part) for part in parts)
    )
