"""Every operator, by family; importing this package attaches Tensor's methods."""

from __future__ import annotations

import importlib
from typing import Any

from . import (
    activation,
    arithmetic,
    arranging,
    attention,
    bitwise,
    class_losses,
    comparison,
    conversion,
    convolution,
    creation,
    dropping,
    embedding,
    gathering,
    indexing,
    joining,
    later,
    linear,
    losses,
    normalization,
    pairwise,
    parts,
    pointwise,
    pooling,
    random,
    random_inplace,
    reduction,
    resizing,
    scans,
    shape,
    slicing,
    sorting,
    typed,
)
from .joining import stack
from .publishing import FUNCTIONS

__all__ = ["FUNCTIONS", "stack"]

later.install()


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS or later.load(name):
        return FUNCTIONS[name]
    if name == "aten":
        return importlib.import_module(".aten", __name__)
    raise AttributeError(f"module 'rushlight' has no attribute '{name}'")
