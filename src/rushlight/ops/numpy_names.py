"""NumPy's names of arguments, which PyTorch takes beside its own: `axis` for `dim`, `keepdims` for `keepdim`."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ..autograd.tensor import Tensor
from .declare import FUNCTIONS

_NAMES = (("axis", "dim"), ("keepdims", "keepdim"))


def accepting(function: Any) -> Any:
    """`function`, taking NumPy's names where it has PyTorch's and not NumPy's already."""
    inner = function
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
    return renamed


def accept() -> None:
    """Let every operator and method take NumPy's names."""
    for name, function in FUNCTIONS.items():
        FUNCTIONS[name] = accepting(function)
    for name, function in list(vars(Tensor).items()):
        if isinstance(function, FunctionType) and not name.startswith("__"):
            setattr(Tensor, name, accepting(function))
