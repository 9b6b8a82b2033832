"""Every operator, by family; importing this package attaches Tensor's methods."""

from __future__ import annotations

from typing import Any

from . import (  # noqa: F401
    arithmetic,
    comparison,
    conversion,
    arranging,
    creation,
    gathering,
    indexing,
    joining,
    linear,
    dropout,
    parts,
    random,
    random_inplace,
    reduction,
    shape,
)
from .declare import FUNCTIONS
from .joining import stack

__all__ = ["FUNCTIONS", "stack"]


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    raise AttributeError(f"module 'rushlight' has no attribute '{name}'")
