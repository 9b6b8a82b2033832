"""Type promotion: from operands of any kind to arrays that a kernel can take together."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor
from ..backend.indexing import fits_long
from ..dtypes import COMPLEX, FLOAT, dtype, promote_types

NUMBERS = (bool, int, float, complex)


def scalar_dtype(value: Any) -> dtype:
    """The type a Python number stands for."""
    if value.__class__ is bool or isinstance(value, (bool, np.bool_)):
        return dtypes.bool
    if isinstance(value, (int, np.integer)):
        return dtypes.int64
    if isinstance(value, (float, np.floating)):
        return dtypes.get_default_dtype()
    if isinstance(value, (complex, np.complexfloating)):
        return dtypes.get_default_dtype().to_complex()
    raise TypeError(f"expected a Tensor or a number, not {type(value).__name__}")


def result_dtype(*operands: Any) -> dtype:
    """The type of an operation on tensors and numbers: dimensioned tensors first, then 0-d ones, then numbers."""
    best: list[dtype | None] = [None, None, None]
    for x in operands:
        if isinstance(x, Tensor):
            rank, d = (0 if x._array.ndim else 1), x.dtype
        else:
            rank, d = 2, scalar_dtype(x)
        known = best[rank]
        best[rank] = d if known is None or known is d else promote_types(known, d)
    found: dtype | None = None
    for candidate in reversed(best):
        if candidate is not None:
            found = candidate if found is None else _combine(candidate, found)
    assert found is not None
    return found


def _combine(higher: dtype, lower: dtype) -> dtype:
    """`higher` wins unless `lower` is of a higher category."""
    if lower.category <= higher.category:
        return higher
    if lower.category == COMPLEX and higher.category == FLOAT:
        return higher.to_complex()
    return promote_types(higher, lower)


def result_type(tensor1: Any, tensor2: Any) -> dtype:
    """The dtype of an arithmetic operation on the two arguments (tensors or numbers).

    >>> import rushlight as torch
    >>> torch.result_type(torch.ones(2, dtype=torch.int8), 1.5)
    torch.float32
    """
    return result_dtype(tensor1, tensor2)


def to_array(x: Any, d: dtype) -> Any:
    """The array of a tensor in type `d`, or a number that is safe to use beside arrays of type `d`."""
    if isinstance(x, Tensor):
        a = x._array
        target = dtypes.to_numpy(d)
        if a.dtype == target:
            return a
        if a.dtype.kind == "c" and target.kind != "c":
            a = a.real
        return a.astype(target)
    if isinstance(x, np.generic):
        x = x.item()
    if d.category == dtypes.INT:
        if isinstance(x, float):
            x = int(x)
        if not fits_long(x):
            raise OverflowError("int too big to convert")
        bits = 8 * d.itemsize
        lowest = -(1 << (bits - 1)) if d.is_signed else 0
        if not lowest <= x < 1 << (bits - 1):
            x = np.array(x % (1 << bits), np.uint64).astype(f"u{d.itemsize}").view(d.np)[()]
        return x
    if d is dtypes.bool:
        return bool(x)
    return x


def weak_operands(name: str, x: Any, y: Any, to_float: bool) -> tuple[Any, Any, dtype]:
    """The two operands of operator `name` as arrays or weak numbers of one type, at least one of them an array."""
    for position, value in enumerate((x, y), 1):
        if not isinstance(value, (Tensor, *NUMBERS, np.generic)):
            label = ("input", "other")[position - 1]
            raise TypeError(f"{name}(): argument '{label}' (position {position}) must be Tensor, not {_kind(value)}")
    d = result_dtype(x, y)
    if to_float and d.category < FLOAT:
        d = dtypes.get_default_dtype()
    a, b = to_array(x, d), to_array(y, d)
    if not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray):
        a = np.asarray(a, dtype=dtypes.to_numpy(d))
    return a, b, d


def _kind(value: Any) -> str:
    return type(value).__name__
