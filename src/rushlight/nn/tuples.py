"""Arguments that may be one number for all dimensions or one for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any


def ntuple(n: int, name: str = "parse") -> Callable[[Any], tuple[Any, ...]]:
    """A function that repeats a single value `n` times, and makes a tuple of several."""

    def parse(x: Any) -> tuple[Any, ...]:
        return tuple(x) if isinstance(x, Iterable) and not isinstance(x, str) else tuple(repeat(x, n))

    parse.__name__ = name
    return parse


single, pair, triple, quadruple = ntuple(1), ntuple(2), ntuple(3), ntuple(4)
_single, _pair, _triple, _quadruple, _ntuple = single, pair, triple, quadruple, ntuple


def reverse_repeat(t: Iterable[Any], n: int) -> tuple[Any, ...]:
    """The elements from last to first, each `n` times: the order in which `functional.pad` wants them."""
    return tuple(x for x in reversed(list(t)) for _ in range(n))


_reverse_repeat_tuple = reverse_repeat
