"""NumPy's names of arguments, which PyTorch takes beside its own: `axis` for `dim`, `keepdims` for `keepdim`."""

from __future__ import annotations

from types import FunctionType
from typing import Any

_NAMES = (("axis", "dim"), ("keepdims", "keepdim"))


def accepting(function: Any) -> Any:
    """`function`, taking NumPy's names where it has PyTorch's and not NumPy's already."""
    if not isinstance(function, FunctionType) or hasattr(function, "takes_numpy_names"):
        return function
    inner: Any = function
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    if not isinstance(inner, FunctionType):
        return function
    code = inner.__code__
    known = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    swaps = tuple((theirs, own) for theirs, own in _NAMES if own in known and theirs not in known)
    if not swaps:
        return function

    def renamed(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            for theirs, own in swaps:
                if theirs in kwargs:
                    kwargs[own] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    renamed.__name__, renamed.__qualname__ = function.__name__, function.__qualname__
    renamed.__doc__, renamed.__module__ = function.__doc__, function.__module__
    renamed.__wrapped__ = function  # type: ignore[attr-defined]
    renamed.takes_numpy_names = True  # type: ignore[attr-defined]
    return renamed
