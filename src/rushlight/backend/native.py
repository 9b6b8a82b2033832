"""Loads the C++ extension and puts its kernels in front of the NumPy ones."""

import os
from collections.abc import Callable
from typing import Any

__all__ = ["empty_cache", "get_num_threads", "info", "install", "library", "memory_stats", "set_num_threads"]


def _load() -> Any:
    if os.environ.get("RUSHLIGHT_NATIVE") == "0":
        return None
    try:
        from rushlight import _native
    except ImportError as error:
        # Not built is fine; built but broken is not, and must not go unnoticed.
        if error.name not in (None, "rushlight", "rushlight._native") or "RUSHLIGHT_ISA" in str(error):
            raise
        if "cannot import name" not in str(error):
            raise
        return None
    return _native


library: Any = _load()


def install(kernels: dict[str, Any]) -> None:
    """Replace each NumPy kernel in `kernels` by the native one of the same name, which calls it back when it must."""
    if library is None:
        return
    for name, kernel in [item for item in kernels.items() if not item[0].startswith("_")]:
        native: Callable[..., Any] | None = getattr(library, name, None)
        if native is not None and callable(kernel) and name not in __all__:
            library.register_reference(name, kernel)
            kernels[name] = native
    if os.environ.get("RUSHLIGHT_ALLOCATOR") != "0" and hasattr(library, "use_allocator"):
        library.use_allocator()


_threads = 1


def get_num_threads() -> int:
    """Return how many threads a kernel may use."""
    return int(library.get_num_threads()) if library is not None else _threads


def set_num_threads(n: int) -> None:
    """Set how many threads a kernel may use; without the extension the number is only remembered."""
    global _threads
    if library is not None:
        library.set_num_threads(n)
    elif n < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
    _threads = n


def info() -> dict[str, Any]:
    """Return what runs the kernels: `native`, `isa`, `threads`."""
    if library is None:
        return {"native": False, "isa": "numpy", "threads": _threads}
    return {"native": True, **library.info()}


def empty_cache() -> None:
    """Give the allocator's unused memory back to the system."""
    if library is not None and hasattr(library, "empty_cache"):
        library.empty_cache()


def memory_stats() -> dict[str, int]:
    """Return the allocator's counters, in bytes and calls; empty without the extension."""
    if library is None or not hasattr(library, "memory_stats"):
        return {}
    return dict(library.memory_stats())
