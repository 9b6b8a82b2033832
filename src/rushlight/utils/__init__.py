"""Helpers around training: `utils.data` holds datasets and loaders, loaded on first use."""

import importlib
from typing import Any

_SUBMODULES = ("data",)


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'rushlight.utils' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_SUBMODULES])
