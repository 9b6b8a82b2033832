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
    factoring,
    fourier,
    gathering,
    histograms,
    indexing,
    joining,
    linear,
    losses,
    matrices,
    native_norms,
    normalization,
    numpy_names,
    pairwise,
    parts,
    pointwise,
    pooling,
    random,
    random_inplace,
    reduction,
    resizing,
    scans,
    segments,
    shape,
    slicing,
    solving,
    sorting,
    spectra,
    statistics,
    typed,
    windows,
)
from .declare import FUNCTIONS
from .joining import stack

__all__ = ["FUNCTIONS", "stack"]

numpy_names.accept()


def __getattr__(name: str) -> Any:
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    if name == "aten":
        return importlib.import_module(".aten", __name__)
    raise AttributeError(f"module 'rushlight' has no attribute '{name}'")
