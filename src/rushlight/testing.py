"""`torch.testing`: comparing results."""

from __future__ import annotations

from typing import Any

import numpy as np

from .autograd.tensor import Tensor

# rtol and atol by dtype: https://docs.pytorch.org/docs/stable/testing.html
_TOLERANCES = {
    "float16": (1e-3, 1e-5), "bfloat16": (1.6e-2, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7),
    "complex64": (1.3e-6, 1e-5), "complex128": (1e-7, 1e-7),
}  # fmt: skip


def assert_close(
    actual: Any, expected: Any, *, rtol: float | None = None, atol: float | None = None, equal_nan: bool = False,
    check_dtype: bool = True, check_stride: bool = False, msg: Any = None, **ignored: Any,
) -> None:  # fmt: skip
    """AssertionError unless the two (numbers, tensors, or nested sequences and mappings of them) are close.

    Tolerances depend on the dtype unless both are given.

    >>> import rushlight as torch
    >>> torch.testing.assert_close(torch.tensor(1.0), torch.tensor(1.0 + 1e-7))
    """
    options: dict[str, Any] = {
        "rtol": rtol,
        "atol": atol,
        "equal_nan": equal_nan,
        "check_dtype": check_dtype,
        "msg": msg,
    }
    if isinstance(expected, (list, tuple)):
        if len(actual) != len(expected):
            raise AssertionError(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}")
        for a, b in zip(actual, expected, strict=True):
            assert_close(a, b, **options)
        return
    if isinstance(expected, dict):
        if set(actual) != set(expected):
            raise AssertionError("The keys of the mappings do not match.")
        for key in expected:
            assert_close(actual[key], expected[key], **options)
        return
    if (rtol is None) != (atol is None):
        raise ValueError("rtol and atol must both be specified or both be unspecified")
    a, b = _array(actual), _array(expected)
    if a.shape != b.shape:
        raise AssertionError(f"The values for attribute 'shape' do not match: {actual.shape} != {expected.shape}.")
    if (
        isinstance(actual, Tensor)
        and isinstance(expected, Tensor)
        and check_dtype
        and actual.dtype is not expected.dtype
    ):
        raise AssertionError(f"The values for attribute 'dtype' do not match: {actual.dtype} != {expected.dtype}.")
    if rtol is None or atol is None:
        found = [_TOLERANCES.get(x.dtype.name, (0.0, 0.0)) for x in (a, b)]
        rtol, atol = max(f[0] for f in found), max(f[1] for f in found)
    wide = [
        x.astype(np.complex128 if x.dtype.kind == "c" else np.float64) if x.dtype.kind not in "iub" else x
        for x in (a, b)
    ]
    with np.errstate(all="ignore"):
        close = np.isclose(wide[0], wide[1], rtol=rtol, atol=atol, equal_nan=equal_nan)
    if close.all():
        return
    if msg is not None and not callable(msg):
        raise AssertionError(msg)
    what = "Scalars" if a.ndim == 0 else "Tensor-likes"
    with np.errstate(all="ignore"):
        worst = np.nanmax(np.abs(wide[0].astype(np.complex128) - wide[1].astype(np.complex128)))
    text = (
        f"{what} are not close!\n\nMismatched elements: {int((~close).sum())} / {close.size} "
        f"({100 * float((~close).mean()):.1f}%)\nGreatest absolute difference: {float(worst)} (up to {atol} allowed), relative "
        f"tolerance {rtol}"
    )
    raise AssertionError(msg(text) if callable(msg) else text)


def _array(value: Any) -> Any:
    return value.detach()._array if isinstance(value, Tensor) else np.asarray(value)


def make_tensor(
    *shape: Any, dtype: Any, device: Any = "cpu", low: Any = None, high: Any = None, requires_grad: bool = False
) -> Any:
    """Random values of a shape and dtype between `low` and `high` (-9 and 9; 0 and 9 for unsigned types)."""
    from . import dtypes, empty, randint

    sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], (list, tuple)) else shape
    if dtype.category <= dtypes.INT:
        lowest = 0 if dtype.category == dtypes.BOOL or not dtype.is_signed else -9
        top = 2 if dtype.category == dtypes.BOOL else 10
        return randint(int(lowest if low is None else low), int(top if high is None else high), tuple(sizes)).to(dtype)
    values = empty(tuple(sizes), dtype=dtype).uniform_(-9 if low is None else low, 9 if high is None else high)
    return values.requires_grad_(requires_grad)
