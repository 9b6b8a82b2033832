"""Pillow, the optional library that reads, writes and transforms pictures, loaded on first use."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def pillow(module: str = "Image") -> Any:
    """Return the module `PIL.{module}`; `ImportError` with the command to run where Pillow is not installed."""
    try:
        return import_module(f"PIL.{module}")
    except ImportError as error:
        raise ImportError("pictures need Pillow, which is not installed: pip install rushlight[vision]") from error


def is_pil_image(x: Any) -> bool:
    """Whether `x` is a Pillow image; never the first to import Pillow, since without it nothing can be one."""
    loaded = sys.modules.get("PIL.Image")
    return loaded is not None and isinstance(x, loaded.Image)
