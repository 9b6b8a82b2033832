"""Tuples with names, as operators with several results return them (`torch.return_types`)."""

from __future__ import annotations

import importlib
import operator
from typing import Any

TYPES: dict[str, Any] = {}


class NamedResult(tuple[Any, ...]):
    """A tuple whose items have names too."""

    _fields: tuple[str, ...] = ()

    def __new__(cls, items: Any, extra: Any = None) -> Any:
        return super().__new__(cls, tuple(items))

    def __repr__(self) -> str:
        inside = ",\n".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{inside})"

    def __reduce__(self) -> Any:
        return named_again, (type(self).__name__, tuple(self))


def named_again(name: str, items: tuple[Any, ...]) -> Any:
    """A result unpickled; its type may be one of an operator that has not been used yet."""
    return result_type(name)(items)


def result_type(name: str) -> Any:
    """The type `torch.return_types.name`; AttributeError when there is none."""
    if name not in TYPES:
        from . import later

        later.load(name) or importlib.import_module("rushlight.linalg")
    if name not in TYPES:
        raise AttributeError(f"module 'torch.return_types' has no attribute '{name}'")
    return TYPES[name]


def named(name: str, fields: str) -> Any:
    """A result type `torch.return_types.name` with the given fields."""
    names = tuple(fields.split())
    attributes: dict[str, Any] = {"_fields": names, "n_fields": len(names), "__module__": "torch.return_types"}
    for i, field in enumerate(names):
        attributes[field] = property(operator.itemgetter(i))
    TYPES[name] = type(name, (NamedResult,), attributes)
    return TYPES[name]
