"""Arrays from Python data: numbers, nested sequences of them, and whatever NumPy reads."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor
from ..backend.indexing import scalar
from ..settings import warn_once
from .promotion import NUMBERS, scalar_dtype

_ORDER = (bool, int, float, complex)
_SEQUENCES = (list, tuple, range, np.ndarray)
SLOW = (
    "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a single "
    "numpy.ndarray with numpy.array() before converting to a tensor."
)


def parse_array(data: Any, d: dtypes.dtype | None = None) -> Any:
    """A new array of `data`, in the type that its elements ask for unless `d` is given.

    ValueError or TypeError for ragged sequences, RuntimeError for what is no number or does not fit into `d`.
    """
    if isinstance(data, (np.ndarray, np.generic)):
        check_array(data)
        return cast(np.array(data), d)
    if isinstance(data, NUMBERS):
        return _numbers([data], (), d or scalar_dtype(data))
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if _is_sequence(data):
        if len(data) and all(isinstance(item, np.ndarray) for item in data):
            warn_once(SLOW)
        shape, leaves = _flat(data)
        return _numbers(leaves, shape, d or _common_dtype(leaves))
    if hasattr(data, "__array__") or hasattr(data, "__array_interface__"):
        return cast(np.array(np.asarray(data)), d)
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def check_array(a: Any) -> None:
    """Refuse NumPy arrays that PyTorch has no tensors for."""
    if any(s < 0 for s in a.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if not a.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    dtypes.of_array(a.dtype)
    if any(s % a.itemsize for s in a.strides):
        raise ValueError(
            "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the memory."
        )


def cast(a: Any, d: dtypes.dtype | None) -> Any:
    """`a` in type `d`, as C casts."""
    if d is None:
        return a
    if a.dtype.kind == "c" and d.category not in (dtypes.COMPLEX, dtypes.BOOL):
        warn_once("Casting complex values to real discards the imaginary part")
    with np.errstate(all="ignore"):
        return (a.real if a.dtype.kind == "c" and d.category < dtypes.COMPLEX else a).astype(dtypes.to_numpy(d))


def _is_sequence(data: Any) -> bool:
    if isinstance(data, Tensor):
        return False
    return isinstance(data, _SEQUENCES) or (
        hasattr(data, "__len__") and hasattr(data, "__getitem__") and not hasattr(data, "keys")
    )


def _flat(data: Any) -> tuple[tuple[int, ...], list[Any]]:
    """The shape of nested sequences, and their leaves in a row."""
    shape: list[int] = []
    level: list[Any] = [data]
    while level and _is_sequence(level[0]):
        if isinstance(level[0], (str, bytes)):
            raise ValueError(f"too many dimensions '{type(level[0]).__name__}'")
        if not all(map(_is_sequence, level)):
            if not any(isinstance(item, Tensor) for item in level):
                raise TypeError("not a sequence")
            level = [item.tolist() if isinstance(item, Tensor) and item._array.ndim else item for item in level]
        n = len(level[0])
        for item in level:
            if len(item) != n:
                raise ValueError(f"expected sequence of length {n} at dim {len(shape)} (got {len(item)})")
        shape.append(n)
        level = list(chain.from_iterable(level))
    return tuple(shape), level


def _common_dtype(leaves: list[Any]) -> dtypes.dtype:
    if not leaves:
        return dtypes.get_default_dtype()
    kinds = set(map(type, leaves))
    if kinds.issubset(_ORDER):
        return scalar_dtype(max(kinds, key=_ORDER.index)())
    found: dtypes.dtype | None = None
    for kind, leaf in {_kind(leaf): leaf for leaf in leaves}.items():
        if isinstance(leaf, str):
            raise TypeError("new(): invalid data type 'str'")
        if isinstance(kind, dtypes.dtype):
            own = kind
        elif isinstance(leaf, NUMBERS):
            own = scalar_dtype(leaf)
        elif _is_sequence(leaf):
            own = _common_dtype(_flat(leaf)[1])
        else:
            raise RuntimeError(f"Could not infer dtype of {type(leaf).__name__}")
        found = own if found is None else dtypes.promote_types(found, own)
    assert found is not None
    return found


def _kind(leaf: Any) -> Any:
    """What decides a leaf's dtype: its own if it has one, else its class."""
    if isinstance(leaf, Tensor):
        return leaf.dtype
    return dtypes.of_array(leaf.dtype) if isinstance(leaf, np.generic) else leaf.__class__


def _numbers(leaves: list[Any], shape: tuple[int, ...], d: dtypes.dtype) -> Any:
    """Numbers (or tensors of one element) as an array of type `d`."""
    target = dtypes.to_numpy(d)
    kinds = set(map(type, leaves))
    if not kinds.issubset(_ORDER):
        leaves = [_number(leaf, d) for leaf in leaves]
        kinds = set(map(type, leaves))
    if complex in kinds and d.category in (dtypes.INT, dtypes.FLOAT):
        raise TypeError(
            "must be real number, not complex"
            if d.category == dtypes.FLOAT
            else "'complex' object cannot be interpreted as an integer"
        )
    if d.category == dtypes.INT and leaves:
        low, high = min(leaves), max(leaves)
        if d.itemsize == 8 and not -(2**63) <= low <= high < 2 ** (64 if d is dtypes.uint64 else 63):
            raise ValueError("Overflow when unpacking long long")
        for value in (low, high):
            try:
                scalar(value, target)
            except RuntimeError:
                raise RuntimeError(f"value cannot be converted to type {d.name} without overflow") from None
        if float not in kinds:
            return np.array(leaves, np.uint64 if high >= 2**63 else np.int64).astype(target).reshape(shape)
    with np.errstate(all="ignore"):
        if d.category == dtypes.FLOAT and int in kinds:
            leaves = list(map(float, leaves))
        return np.array(leaves, np.float64 if not leaves else None).astype(target).reshape(shape)


def _number(leaf: Any, d: dtypes.dtype) -> Any:
    if isinstance(leaf, Tensor):
        if leaf._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return leaf.item()
    if isinstance(leaf, np.generic):
        return leaf.item()
    if isinstance(leaf, NUMBERS):
        kind: Any = next(kind for kind in _ORDER if isinstance(leaf, kind))
        return kind(leaf)  # a subclass, such as an IntEnum
    name = type(leaf).__name__
    raise TypeError(
        f"'{name}' object cannot be interpreted as an integer"
        if d.category < dtypes.FLOAT
        else f"must be real number, not {name}"
    )
