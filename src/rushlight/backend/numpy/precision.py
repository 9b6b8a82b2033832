"""The dtype a kernel computes in: half-precision inputs are widened to float32 and the result is rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def computing_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """float32 for float16, bfloat16 and float8 (the ml_dtypes are of kind "V"); any other dtype itself."""
    return np.dtype(np.float32) if dtype.kind == "V" or dtype == np.float16 else dtype


def narrow(value: Any, dtype: np.dtype[Any]) -> Array:
    """The result of a computation, an array even when 0-d, rounded to `dtype` where it was widened."""
    return np.asarray(value).astype(dtype, copy=False)


def widen(a: Array) -> Array:
    """`a` in its computing dtype; the same array when there is nothing to widen."""
    return a.astype(computing_dtype(a.dtype), copy=False)
