"""Padding layers: constant, zero, reflected, replicated and circular, in one to three dimensions."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .module import Module
from .tuples import ntuple


class _Pad(Module):
    """Pads the last `_n` dimensions in the mode `_mode`."""

    __constants__ = ["padding"]
    _n, _mode = 0, "constant"
    padding: tuple[int, ...]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = ntuple(2 * self._n)(padding)

    def forward(self, input: Any) -> Any:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]
    value: float

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Surrounds the last dimension with a constant."""

    _n = 1


class ConstantPad2d(_ConstantPadNd):
    """Surrounds the last two dimensions with a constant."""

    _n = 2


class ConstantPad3d(_ConstantPadNd):
    """Surrounds the last three dimensions with a constant."""

    _n = 3


class ZeroPad1d(ConstantPad1d):
    """Surrounds the last dimension with zeros."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Surrounds the last two dimensions with zeros."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Surrounds the last three dimensions with zeros."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class _CircularPadNd(_Pad):
    _mode = "circular"

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() not in (self._n + 1, self._n + 2):
            raise ValueError(f"expected {self._n + 1}D or {self._n + 2}D input (got {input.dim()}D input)")

    def forward(self, input: Any) -> Any:
        self._check_input_dim(input)
        return F.pad(input, self.padding, "circular")


class ReflectionPad1d(_ReflectionPadNd):
    """Mirrors the last dimension at its borders."""

    _n = 1


class ReflectionPad2d(_ReflectionPadNd):
    """Mirrors the last two dimensions at their borders."""

    _n = 2


class ReflectionPad3d(_ReflectionPadNd):
    """Mirrors the last three dimensions at their borders."""

    _n = 3


class ReplicationPad1d(_ReplicationPadNd):
    """Repeats the outermost elements of the last dimension."""

    _n = 1


class ReplicationPad2d(_ReplicationPadNd):
    """Repeats the outermost elements of the last two dimensions."""

    _n = 2


class ReplicationPad3d(_ReplicationPadNd):
    """Repeats the outermost elements of the last three dimensions."""

    _n = 3


class CircularPad1d(_CircularPadNd):
    """Continues the last dimension from its other end."""

    _n = 1


class CircularPad2d(_CircularPadNd):
    """Continues the last two dimensions from their other ends."""

    _n = 2


class CircularPad3d(_CircularPadNd):
    """Continues the last three dimensions from their other ends."""

    _n = 3
