"""Exceptions that PyTorch programs catch by name."""

from __future__ import annotations


class LinAlgError(RuntimeError):
    """A matrix decomposition failed: the input is singular or not positive-definite."""


class OutOfMemoryError(RuntimeError):
    """An allocation was refused."""


def unsupported(what: str, instead: str = "") -> NotImplementedError:
    """The error for a thing PyTorch has and rushlight lacks: it names the thing."""
    return NotImplementedError(f"rushlight does not support {what} yet." + (f" {instead}" if instead else ""))
