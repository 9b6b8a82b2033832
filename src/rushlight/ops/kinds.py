"""Which dtypes a kernel takes, and PyTorch's complaint about the others."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import dtypes
from ..backend import kernels as K

REAL = "biufV"
NUMERIC = "biufcV"
FLOATING = "fV"


def only(kinds: str, complaint: str, kernel: Any, error: type[Exception] = NotImplementedError) -> Any:
    """`kernel`, refusing arrays of other NumPy kinds; a `complaint` of one word is the name of PyTorch's kernel."""

    @functools.wraps(kernel)
    def checked(*operands: Any) -> Any:
        for a in operands:
            if a.__class__ is np.ndarray and a.dtype.kind not in kinds:
                refuse(complaint, a, error)
        return kernel(*operands)

    if " " not in complaint and not hasattr(kernel, "__name__"):
        checked.__name__ = complaint
    return checked


def one_pass(formula: Any) -> Any:
    """A formula on arrays, fused, that still tells its parameters' names."""
    kernel = K.fuse(formula)

    @functools.wraps(formula)
    def run(*operands: Any) -> Any:
        return kernel(*operands)

    return run


def refuse(complaint: str, a: Any, error: type[Exception] = NotImplementedError) -> None:
    """Raise PyTorch's error for an array whose dtype a kernel does not have."""
    if " " in complaint:
        raise error(complaint)
    raise error(f"\"{complaint}\" not implemented for '{dtypes.of_array(a.dtype).scalar_name}'")


def is_complex(x: Any) -> bool:
    """Whether a Tensor or an array is complex; the symbols of a formula are real."""
    a = getattr(x, "_array", x) if not hasattr(x, "_is_expression") else None
    return isinstance(a, (np.ndarray, np.generic)) and a.dtype.kind == "c"
