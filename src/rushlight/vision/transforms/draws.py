"""Single random numbers from rushlight's generator, drawn as torchvision draws them so that a seed gives the same."""

from __future__ import annotations

import rushlight


def uniform(low: float, high: float) -> float:
    """Draw a float32 between `low` and `high`."""
    return float(rushlight.empty(1).uniform_(float(low), float(high)))


def integer(count: int) -> int:
    """Draw a whole number from 0 to `count - 1`."""
    return int(rushlight.randint(0, count, size=(1,)))
