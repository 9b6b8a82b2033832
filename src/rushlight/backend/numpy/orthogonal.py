"""Orthogonal polynomials of degree `n` (an array, truncated to integers) at `a`, by their three-term recurrences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rushlight.errors import unsupported

__all__: list[str] = []

Array = np.ndarray[Any, Any]
HIGHEST = 100_000  # a recurrence takes a step a degree
Step = Callable[[int, Any, Any, Any], Any]


def _polynomial(name: str, first: Callable[[Any], Any], step: Step, doc: str, shifted: bool = False) -> None:
    """p(0) = 1, p(1) = first(x), p(k + 1) = step(k, x, p(k), p(k - 1)); 0 for a negative degree."""

    def polynomial(a: Any, n: Any) -> Array:
        kind = next(v.dtype for v in (a, n) if isinstance(v, np.ndarray))
        x, degree = np.broadcast_arrays(np.asarray(a, np.float64), np.trunc(np.asarray(n, np.float64)))
        if shifted:
            x = 2 * x - 1
        before, here = np.ones_like(x), np.asarray(first(x), np.float64)
        value = np.where(degree == 0, before, np.where(degree == 1, here, 0.0))
        finite = degree[np.isfinite(degree)]
        last = int(finite.max()) if finite.size else 0
        if last > HIGHEST:
            raise unsupported(f"{name} of degree {last}", f"The highest is {HIGHEST}.")
        for k in range(1, last):
            before, here = here, step(k, x, here, before)
            value = np.where(degree == k + 1, here, value)
        return np.asarray(value).astype(kind)

    polynomial.__name__ = polynomial.__qualname__ = name
    polynomial.__doc__ = doc
    globals()[name] = polynomial
    __all__.append(name)


def _chebyshev(k: int, x: Any, here: Any, before: Any) -> Any:
    return 2 * x * here - before


for _kind, _first in {
    "t": lambda x: x, "u": lambda x: 2 * x, "v": lambda x: 2 * x - 1, "w": lambda x: 2 * x + 1,
}.items():  # fmt: skip
    _polynomial(f"chebyshev_polynomial_{_kind}", _first, _chebyshev, "A Chebyshev polynomial.")
    _polynomial(f"shifted_chebyshev_polynomial_{_kind}", _first, _chebyshev, "A Chebyshev polynomial at 2a - 1.", True)
_polynomial(
    "hermite_polynomial_h", lambda x: 2 * x, lambda k, x, here, before: 2 * (x * here - k * before),
    "A physicist's Hermite polynomial.",
)  # fmt: skip
_polynomial(
    "hermite_polynomial_he", lambda x: x, lambda k, x, here, before: x * here - k * before,
    "A probabilist's Hermite polynomial.",
)  # fmt: skip
_polynomial(
    "laguerre_polynomial_l", lambda x: 1 - x,
    lambda k, x, here, before: ((2 * k + 1 - x) * here - k * before) / (k + 1), "A Laguerre polynomial.",
)  # fmt: skip
_polynomial(
    "legendre_polynomial_p", lambda x: x, lambda k, x, here, before: ((2 * k + 1) * x * here - k * before) / (k + 1),
    "A Legendre polynomial.",
)  # fmt: skip
