"""One sample generator for each operator, used by every family of tests in `test_ops.py`.

An operator is entered by a generator of samples:

    @operator("lerp")
    def lerp(make):
        yield make(3, 4), make(3, 4), 0.3                            # positional arguments
        yield Sample(make(3, 4), make(4), make(1, 4))                # broadcast
        yield Sample(make(2), decimals=2)                            # keyword arguments

Arrays stand for tensors (floating-point ones take part in differentiation), so that one sample can be replayed in
NumPy, PyTorch and rushlight. `make(*shape, low=-2, high=2)` draws float64 numbers, the same ones in every run.
Other files named `samples_FAMILY.py` beside this one are found by `load()`.
"""

from __future__ import annotations

import importlib.util
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

OPERATORS: dict[str, Operator] = {}

# Where floating-point functions go wrong: zeros, ties with each other, infinities, nan, saturation, the subnormal.
POINTS = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -3.0, 1e-8, 20.0, -20.0, 90.0, -90.0, 1e-40, np.inf, -np.inf, np.nan]
)


class Sample:
    """The arguments of one call."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __repr__(self) -> str:
        return f"Sample({', '.join([*map(_brief, self.args), *(f'{k}={_brief(v)}' for k, v in self.kwargs.items())])})"


def _brief(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    return f"[{', '.join(map(_brief, value))}]" if isinstance(value, (list, tuple)) else repr(value)


@dataclass
class Operator:
    """An operator and what the test families may ask of it."""

    name: str  # the path below `torch`
    generate: Callable[[Make], Iterator[Any]]
    differentiable: bool = True
    second: bool = True  # whether PyTorch has second derivatives
    elementwise: bool = False  # hard points are tried, and results do not depend on memory layout
    points: Any = None  # other hard points
    dtypes: tuple[str, ...] = ()  # further dtypes in which the first sample is tried, refusals included
    reference: Callable[..., Any] | None = None  # float64 NumPy
    random: bool = False  # only shape and dtype are compared
    tolerance: float = 1e-7
    function: Callable[[Any], Callable[..., Any]] | None = None  # from a package to the callable, if not by name
    out: bool = True  # whether out= is tried, where PyTorch has it
    layout: bool = True  # whether strides may be anything

    def samples(self) -> list[Sample]:
        """The samples, drawn anew but always alike."""
        found = list(self.generate(Make(self.name)))
        return [s if isinstance(s, Sample) else Sample(*(s if isinstance(s, tuple) else (s,))) for s in found]

    def of(self, package: Any) -> Callable[..., Any]:
        """The operator in `torch` or in `rushlight`."""
        if self.function is not None:
            return self.function(package)
        for part in self.name.split("."):
            package = getattr(package, part)
        return package  # type: ignore[no-any-return]


class Make:
    """Draws arrays; seeded by the operator's name."""

    def __init__(self, name: str) -> None:
        self.rng = np.random.default_rng(zlib.crc32(name.encode()))

    def __call__(self, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
        return np.asarray(self.rng.uniform(low, high, shape))

    def integers(self, *shape: int, low: int = -5, high: int = 6, dtype: str = "int64") -> np.ndarray:
        """Integers from `low` up to, not including, `high`."""
        return np.asarray(self.rng.integers(low, high, shape)).astype(dtype)

    def bools(self, *shape: int) -> np.ndarray:
        """True and False, about as often."""
        return np.asarray(self.rng.random(shape) < 0.5)

    def complex(self, *shape: int) -> np.ndarray:
        """Complex numbers from the square about 0."""
        return np.asarray(self(*shape) + 1j * self(*shape))

    def distinct(self, *shape: int) -> np.ndarray:
        """Numbers at least 0.1 apart, in random order: no ties, and safe for finite differences."""
        n = int(np.prod(shape))
        return np.asarray(self.rng.permutation(n) * 0.1 - n * 0.05 + 0.013).reshape(shape)


def operator(name: str, **properties: Any) -> Any:
    """Enter a generator of samples under an operator's name."""

    def enter(generate: Any) -> Any:
        if name in OPERATORS:
            raise ValueError(f"{name} has samples already")
        OPERATORS[name] = Operator(name, generate, **properties)
        return generate

    return enter


def load() -> dict[str, Operator]:
    """All operators, with those of the other `samples_FAMILY.py`."""
    for path in sorted(Path(__file__).parent.glob("samples_*.py")):
        if path.stem not in sys.modules:
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[path.stem] = module
            spec.loader.exec_module(module)
    return OPERATORS
