"""Switches of the whole process that PyTorch programs set: determinism, precision of products, default device.

On the CPU most change nothing: results are deterministic, and products are taken in full precision. What was set can be
read back.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from . import dtypes
from .device import CPU, require_cpu
from .device import device as Device

_state: dict[str, Any] = {"debug": 0, "precision": "highest", "warn_always": False, "interop": 1, "fastpath": True}
_DEBUG = {"default": 0, "warn": 1, "error": 2}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for deterministic algorithms; rushlight's are, always."""
    if not isinstance(mode, bool):
        raise TypeError(
            f"_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not {type(mode).__name__}"
        )
    _state["debug"] = 0 if not mode else 1 if warn_only else 2


def are_deterministic_algorithms_enabled() -> bool:
    """Whether deterministic algorithms were asked for."""
    return bool(_state["debug"])


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether they were asked for with `warn_only`."""
    return bool(_state["debug"] == 1)


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Set 0 or `default`, 1 or `warn`, 2 or `error`."""
    if isinstance(debug_mode, str):
        if debug_mode not in _DEBUG:
            raise RuntimeError(
                f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
            )
        debug_mode = _DEBUG[debug_mode]
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _state["debug"] = debug_mode


def get_deterministic_debug_mode() -> int:
    """What `set_deterministic_debug_mode` set, as a number."""
    return int(_state["debug"])


def set_float32_matmul_precision(precision: str) -> None:
    """Allow less precise products of matrices (`highest`, `high`, `medium`); they are taken in full precision anyway."""
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the currentsetFloat32MatmulPrecision call has no "
            "effect.",
            stacklevel=2,
        )
        return
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` set."""
    return str(_state["precision"])


def set_default_device(device: Any) -> None:
    """Set the device of new tensors: the CPU, or None for it."""
    require_cpu(device)


def get_default_device() -> Device:
    """The device of new tensors."""
    return CPU


def set_default_tensor_type(t: Any) -> None:
    """Set the default floating-point type by the old name of its tensors."""
    warn_once(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives."
    )
    name = t if isinstance(t, str) else f"torch.{getattr(t, '__name__', t)}"
    kinds = {f"torch.{d.scalar_name}Tensor": d for d in dtypes.ALL if d.category == dtypes.FLOAT}
    if name not in kinds:
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    dtypes.set_default_dtype(kinds[name])


def set_warn_always(b: bool) -> None:
    """Whether warnings given once are given every time; Python's filters decide here."""
    if not isinstance(b, bool):
        raise RuntimeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _state["warn_always"] = b


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` set."""
    return bool(_state["warn_always"])


def set_flush_denormal(mode: bool) -> bool:
    """Flush subnormal numbers to zero: not supported, which the answer False tells."""
    return False


def set_num_interop_threads(num: int) -> None:
    """How many operations may run side by side; one, whatever is set."""
    if num <= 0:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    _state["interop"] = num


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` set."""
    return int(_state["interop"])


def get_fastpath_enabled() -> bool:
    """Whether attention follows the rules of PyTorch's inference path, where that is taken."""
    return bool(_state["fastpath"])


def set_fastpath_enabled(value: bool) -> None:
    """Follow them or not: they decide what masked rows and padded positions give."""
    _state["fastpath"] = value


_warned: set[str] = set()
_HERE = os.path.dirname(__file__) + os.sep


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """A warning that names the user's line: the innermost one outside this package."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, category, stacklevel=depth)


def warn_once(text: str) -> None:
    """A warning that a program sees once, or with `set_warn_always` every time."""
    if text not in _warned or _state["warn_always"]:
        _warned.add(text)
        warn(text)
