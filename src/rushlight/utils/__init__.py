"""Helpers around training; each module here (`utils.data` holds datasets and loaders) is loaded on first use."""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    if not name.startswith("_"):
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as e:
            if e.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module 'rushlight.utils' has no attribute {name!r}")
