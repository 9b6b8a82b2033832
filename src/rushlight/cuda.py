"""`torch.cuda` on a machine without CUDA: says so, and accepts what has no effect."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Whether a CUDA device can be used: no."""
    return False


def is_initialized() -> bool:
    """Whether CUDA has been initialised: no."""
    return False


def device_count() -> int:
    """The number of CUDA devices."""
    return 0


def manual_seed(seed: int) -> None:
    """Does nothing: there is no CUDA generator."""


manual_seed_all = manual_seed


def synchronize(device: Any = None) -> None:
    """Refused, as in a PyTorch without CUDA."""
    raise AssertionError("Torch not compiled with CUDA enabled")


current_device = set_device = get_device_name = synchronize


def empty_cache() -> None:
    """Does nothing: there is no CUDA memory."""


def __getattr__(name: str) -> Any:
    raise AttributeError(f"module 'rushlight.cuda' has no attribute '{name}'")
