"""Pictures: data sets, transforms, models and image files, laid out and named as torchvision; loads on first use."""

from __future__ import annotations

from importlib import import_module
from typing import Any

# The release of torchvision that accompanies PyTorch 2.13 and whose names this package follows.
__version__ = "0.28.0"
__all__ = ["datasets", "io", "models", "transforms", "utils"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def get_image_backend() -> str:
    """Name the library that decodes pictures; always Pillow here."""
    return "PIL"
