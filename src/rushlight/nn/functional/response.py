"""Normalisation by the energy of neighbouring channels."""

from __future__ import annotations

from typing import Any

from .pad import constant


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Any:
    """Divide by `(k + alpha * mean of squares over size neighbouring channels) ** beta` (Krizhevsky et al., 2012)."""
    dim = input.dim()
    if dim < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {dim} dimensions)")
    if input.numel() == 0:
        return input
    pads = (0, 0) * (dim - 2) + (size // 2, (size - 1) // 2)
    squares = constant(input * input, pads, 0)
    channels = input.size(1)
    total = squares.narrow(1, 0, channels)
    for i in range(1, size):
        total = total + squares.narrow(1, i, channels)
    return input / (total / size * alpha + k) ** beta
