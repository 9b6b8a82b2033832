"""`Size`, the shape of a tensor: a tuple that knows its product."""

from __future__ import annotations

import math
from typing import Any


class Size(tuple[int, ...]):
    """The lengths of a tensor's dimensions.

    >>> import rushlight as torch
    >>> torch.ones(2, 3).shape, torch.Size([2, 3]).numel()
    (torch.Size([2, 3]), 6)
    """

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        self = tuple.__new__(cls, sizes)
        for n in self:
            if n.__class__ is not int:
                return tuple.__new__(cls, _integers(self))
        return self

    def __repr__(self) -> str:
        return f"torch.Size([{', '.join(map(str, self))}])"

    __str__ = __repr__

    def numel(self) -> int:
        """The number of elements of a tensor of this shape."""
        return math.prod(self)

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return Size(item) if item.__class__ is tuple else item

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {type(other).__name__}) to torch.Size")
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, count: Any) -> Any:
        return Size(tuple.__mul__(self, count))

    __rmul__ = __mul__

    def __reduce__(self) -> Any:
        return (Size, (tuple(self),))


def check_bytes(shape: Any, itemsize: int = 1) -> None:
    """Refuse a shape whose elements no address can count: NumPy crashes, or has words of its own.

    >>> from rushlight.size import check_bytes
    >>> check_bytes((2**40, 2**40))
    Traceback (most recent call last):
    RuntimeError: Storage size calculation overflowed with sizes=[1099511627776, 1099511627776]
    """
    check_dimensions(shape)
    # NumPy counts the other lengths of an array without elements too.
    if math.prod([n for n in shape if n]) * itemsize >= _ADDRESSES:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(shape)}")


def check_dimensions(shape: Any) -> None:
    """Refuse more dimensions than NumPy's arrays can have."""
    if len(shape) > _DIMENSIONS:
        raise RuntimeError(
            f"only tensors with up to {_DIMENSIONS} dims are supported\nNumPy's arrays have no more, and {len(shape)} were asked for."
        )


def no_memory(shape: Any, itemsize: int) -> RuntimeError:
    """The error for an array that was too large to make: its size overflows, or there is no memory for it."""
    check_bytes(shape, itemsize)
    return RuntimeError(
        f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {math.prod(shape) * itemsize} bytes. Error code "
        "12 (Cannot allocate memory)"
    )


_ADDRESSES = 2**63
_DIMENSIONS = 64


def _integers(sizes: Any) -> list[int]:
    """Lengths given as other integers, such as 0-d tensors."""
    found = []
    for i, n in enumerate(sizes):
        if not hasattr(n, "__index__"):
            raise TypeError(f"torch.Size() takes an iterable of 'int' (item {i} is '{type(n).__name__}')")
        found.append(n.__index__())
    return found
