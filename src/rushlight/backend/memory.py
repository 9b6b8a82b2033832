"""The memory that arrays look at: who owns it, whether it may grow, and the strides of PyTorch where NumPy's say nothing."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def storage_of(a: Array) -> Array:
    """The array that owns the memory `a` looks at."""
    base: Any = a.base
    while base is not None:
        if not isinstance(base, np.ndarray):
            base = getattr(base, "base", None)  # what NumPy's `as_strided` puts between
            if not isinstance(base, np.ndarray):
                break
        a, base = base, base.base
    return a


_fixed: dict[int, weakref.ref[Any]] = {}  # by its id, memory that belongs to NumPy


def fix(a: Array) -> None:
    """Note that the memory of an array is NumPy's, which nothing may resize."""
    root = storage_of(a)
    key = id(root)
    if key not in _fixed:
        _fixed[key] = weakref.ref(root, lambda _: _fixed.pop(key, None))


def is_fixed(a: Array) -> bool:
    """Whether the memory of an array belongs to NumPy."""
    return id(storage_of(a)) in _fixed


def require_resizable(a: Array) -> None:
    """Refuse to let memory grow that belongs to NumPy."""
    if is_fixed(a):
        raise RuntimeError("Trying to resize storage that is not resizable")


def given_strides(a: Array) -> tuple[int, ...]:
    """The strides, in bytes, with those of new axes: NumPy has 0 there, PyTorch the length of what the axis holds."""
    steps = list(a.strides)
    for d in reversed(range(a.ndim)):
        if a.shape[d] == 1 and not steps[d]:
            steps[d] = a.shape[d + 1] * steps[d + 1] if d + 1 < a.ndim else a.itemsize
    return tuple(steps)


def strides_of_empty(a: Array) -> tuple[int, ...]:
    """The strides, in bytes, of an array without elements: NumPy makes such with zeros, PyTorch as if 0 were 1."""
    if any(a.strides):
        return a.strides
    steps, step = [], a.itemsize
    for n in reversed(a.shape):
        steps.append(step)
        step *= max(n, 1)
    return tuple(reversed(steps))


def same_place(a: Any, root: Any, copied: Any) -> Any:
    """A view of `copied` that lies in it as `a` lies in `root`."""
    if not copied.flags.c_contiguous:
        flat_root, flat = root.ravel(order="K"), copied.ravel(order="K")
    else:
        flat_root, flat = root, copied
    offset = a.ctypes.data - root.ctypes.data
    del flat_root
    flat = flat.reshape(-1) if flat.flags.c_contiguous else flat
    return np.ndarray(
        a.shape, a.dtype, buffer=memoryview(flat.view(np.uint8).reshape(-1)), offset=offset, strides=a.strides
    )
