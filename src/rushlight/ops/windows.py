"""Windows for spectral analysis: cosine sums, triangles and bells, as `torch.signal.windows` and `torch.NAME_window` have them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..layout import strided
from .creation import check_options
from .publishing import public

# ---- shapes: k are the positions 0..M-1 of samples, n the distance from the first to the last ----------------------------


def cosine_sum(k: Any, n: float, coefficients: Iterable[float]) -> Any:
    """Cosines of whole periods with alternating signs."""
    angle = 2 * math.pi * k / n
    total = np.zeros_like(angle)
    for i, c in enumerate(coefficients):
        total = total + (-1) ** i * float(c) * np.cos(i * angle)
    return total


def triangle(k: Any, n: float) -> Any:
    """Up to one in the middle, and down."""
    return 1 - np.abs(2 * k / n - 1)


def bessel_bell(k: Any, n: float, beta: float) -> Any:
    """Kaiser's window: the modified Bessel function over an ellipse."""
    return np.i0(beta * np.sqrt(np.maximum(1 - (2 * k / n - 1) ** 2, 0))) / np.i0(beta)


BLACKMAN = (0.42, 0.5, 0.08)
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)


def _sampled(shape: Any, size: int, periodic: bool) -> Any:
    """The values of a window; a periodic one is the longer symmetric one without its last sample."""
    if size < 2:
        return np.ones(size)
    with np.errstate(all="ignore"):
        return np.asarray(shape(np.arange(size, dtype=np.float64), float(size if periodic else size - 1)))


# ---- torch.signal.windows -----------------------------------------------------------------------------------------------


def _window(
    name: str,
    shape: Any,
    size: Any,
    sym: bool,
    dtype: Any,
    layout: Any,
    device: Any,
    requires_grad: bool,
    integral: bool,
) -> Any:
    kind = _checked(name, size, dtype, layout, integral)
    check_options({"device": device}, name)
    y = wrap(_sampled(shape, size, not sym).astype(kind.np))
    return y.requires_grad_() if requires_grad else y


def _checked(name: str, size: Any, dtype: Any, layout: Any, integral: bool = False) -> Any:
    kind = dtype or dtypes.get_default_dtype()
    if size < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={size}")
    if layout is not None and layout is not strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if kind not in (dtypes.float32, dtypes.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {kind}")
    if not isinstance(size, int):
        raise TypeError(
            f"{'arange' if integral else 'linspace'}() received an invalid combination of arguments: the window length "
            f"must be int, not {type(size).__name__}"
        )
    return kind


def general_cosine(
    M: int,
    *,
    a: Iterable[float],
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """A sum of cosines with the coefficients `a`."""
    _checked("general_cosine", M, dtype, layout)
    if not isinstance(a, Iterable):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")
    return _window(
        "general_cosine", lambda k, n: cosine_sum(k, n, a), M, sym, dtype, layout, device, requires_grad, False
    )


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """`alpha - (1 - alpha) cos`."""
    return general_cosine(
        M, a=[alpha, 1.0 - alpha], sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
    )


def _fixed(name: str, coefficients: tuple[float, ...], what: str, own_name: bool = False) -> Any:
    def window(
        M: int,
        *,
        sym: bool = True,
        dtype: Any = None,
        layout: Any = strided,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Any:
        _checked(name if own_name else "general_cosine", M, dtype, layout)
        return general_cosine(
            M, a=coefficients, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad
        )

    window.__name__ = window.__qualname__ = name
    window.__doc__ = f"{what}, a sum of cosines."
    return window


hamming = _fixed("hamming", (0.54, 0.46), "Hamming's window")
hann = _fixed("hann", (0.5, 0.5), "Von Hann's window")
blackman = _fixed("blackman", BLACKMAN, "Blackman's window", own_name=True)
nuttall = _fixed("nuttall", NUTTALL, "Nuttall's window of minimal side lobes")


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """A triangle, zero at the ends."""
    return _window("bartlett", triangle, M, sym, dtype, layout, device, requires_grad, False)


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Half a period of a sine, sampled at the middles."""
    return _window(
        "cosine",
        lambda k, n: np.sin(math.pi * (k + 0.5) / (n + 1)),
        M,
        sym,
        dtype,
        layout,
        device,
        requires_grad,
        False,
    )


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Exponential decay from the center with the constant `tau`."""
    _checked("exponential", M, dtype, layout)
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def shape(k: Any, n: float) -> Any:
        return np.exp(-np.abs(k - (n / 2 if center is None else center)) / tau)

    return _window("exponential", shape, M, sym, dtype, layout, device, requires_grad, False)


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """A bell with the standard deviation `std`."""
    _checked("gaussian", M, dtype, layout)
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    return _window(
        "gaussian",
        lambda k, n: np.exp(-(((k - n / 2) / std) ** 2) / 2),
        M,
        sym,
        dtype,
        layout,
        device,
        requires_grad,
        False,
    )


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: Any = None,
    layout: Any = strided,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """Kaiser's window, the narrower the larger `beta`."""
    _checked("kaiser", M, dtype, layout)
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")
    return _window("kaiser", lambda k, n: bessel_bell(k, n, beta), M, sym, dtype, layout, device, requires_grad, False)


# ---- torch.NAME_window ------------------------------------------------------------------------------------------------------


def _plain(
    name: str, size: Any, shape: Any, periodic: bool, dtype: Any, requires_grad: bool, options: dict[str, Any]
) -> Any:
    if isinstance(size, Tensor):
        size = size.item()
    if not isinstance(size, int) or isinstance(size, bool):
        raise TypeError(f"{name}(): argument 'window_length' (position 1) must be int, not {type(size).__name__}")
    kind = dtype or dtypes.get_default_dtype()
    layout = options.get("layout")
    if layout is not None and layout is not strided:
        raise RuntimeError(f"{name} is not implemented for sparse types, got: TensorOptions(layout={layout})")
    if kind.category < dtypes.FLOAT:
        raise RuntimeError(f"{name} expects floating point dtypes, got: TensorOptions(dtype={kind.name}, device=cpu)")
    if kind.category > dtypes.FLOAT:
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{kind.scalar_name}'")
    if size < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={size}")
    check_options(options, name)
    y = wrap(_sampled(shape, size, periodic).astype(kind.np))
    return y.requires_grad_() if requires_grad else y


@public(method=False)
def hann_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """Von Hann's window."""
    return hamming_like("hann_window", window_length, periodic, 0.5, 0.5, dtype, requires_grad, options)


@public(method=False)
def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *,
    dtype: Any = None, requires_grad: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """`alpha - beta cos`."""
    return hamming_like("hamming_window", window_length, periodic, alpha, beta, dtype, requires_grad, options)


def hamming_like(
    name: str, size: Any, periodic: bool, alpha: float, beta: float, dtype: Any, grad: bool, options: Any
) -> Any:
    """A window of a constant and one cosine."""
    return _plain(name, size, lambda k, n: cosine_sum(k, n, (alpha, beta)), periodic, dtype, grad, options)


@public(method=False)
def blackman_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """Blackman's window."""
    return _plain(
        "blackman_window",
        window_length,
        lambda k, n: cosine_sum(k, n, BLACKMAN),
        periodic,
        dtype,
        requires_grad,
        options,
    )


@public(method=False)
def bartlett_window(
    window_length: int, periodic: bool = True, *, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """A triangle, zero at the start."""
    return _plain("bartlett_window", window_length, triangle, periodic, dtype, requires_grad, options)


@public(method=False)
def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Any:
    """Kaiser's window."""
    return _plain(
        "kaiser_window", window_length, lambda k, n: bessel_bell(k, n, beta), periodic, dtype, requires_grad, options
    )
