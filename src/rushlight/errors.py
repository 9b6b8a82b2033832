"""Exceptions that PyTorch programs catch by name."""

from __future__ import annotations


class LinAlgError(RuntimeError):
    """A matrix decomposition failed: the input is singular or not positive-definite."""


class OutOfMemoryError(RuntimeError):
    """An allocation was refused."""


def unsupported(what: str, instead: str = "") -> NotImplementedError:
    """The error for a thing PyTorch has and rushlight lacks: it names the thing."""
    return NotImplementedError(f"rushlight does not support {what} yet." + (f" {instead}" if instead else ""))


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE


def type_name(value: object) -> str:
    """The type of `value` as PyTorch's messages have it: `tp_name`, with the module for types written in C."""
    kind = type(value)
    if kind.__flags__ & _HEAP_TYPE or kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__qualname__}"
