"""Positions that sort the rows of a matrix; the reference keeps equal elements in their places.

PyTorch's own order of equal elements is that of GCC's `std::sort`, `std::partial_sort` and `std::nth_element`, which the
native kernels call. `docs/random.md` tells when the two differ.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["argselect", "argsort", "argtop"]


def argsort(keys: Any, descending: bool) -> Any:
    """Positions (rows, n) that sort float64 or int64 `keys` (rows, n); nan is the largest."""
    if not descending:
        return np.argsort(keys, 1, kind="stable")
    # A stable descending sort is a stable ascending one of the mirror image.
    return keys.shape[1] - 1 - np.flip(np.argsort(np.flip(keys, 1), 1, kind="stable"), 1)


def argtop(keys: Any, k: int, largest: bool, in_order: bool) -> Any:
    """Positions (rows, k) of the k largest or smallest, in order even if that is not asked for."""
    return np.ascontiguousarray(argsort(keys, largest)[:, :k])


def argselect(keys: Any, rank: int) -> Any:
    """Positions (rows,) of the elements of a rank, from 0."""
    return np.ascontiguousarray(argsort(keys, False)[:, rank])
