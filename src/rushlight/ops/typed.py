"""The old typed names, `FloatTensor` and its kin: constructors, and classes for `isinstance`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..size import Size
from .creation import filled, shape_of
from .parsing import parse_array
from .publishing import FUNCTIONS, attach


def legacy(d: dtypes.dtype, args: tuple[Any, ...]) -> Any:
    """The array that `Tensor(*args)` makes: sizes leave it uninitialised, a sequence is copied."""
    if not args:
        return filled((0,), None, d)
    first = args[0]
    if len(args) == 1 and not isinstance(first, (int, Size, np.integer)):
        if isinstance(first, Tensor):
            return first._array
        if not isinstance(first, (list, tuple, np.ndarray, range, str)):
            raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")
        return parse_array(first, d)
    return filled(shape_of(args, "new"), None, d)


class _Typed(type):
    dtype: dtypes.dtype

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __call__(cls, *args: Any) -> Any:
        a = legacy(cls.dtype, args)
        if len(args) == 1 and isinstance(args[0], Tensor) and a.dtype != cls.dtype.np:
            raise TypeError(f"expected a tensor of type {cls.dtype} (got one of type {args[0].dtype})")
        return wrap(a)


for _d in dtypes.ALL:
    if (_d.supported and "8_" not in _d.name and not _d.name.startswith("uint")) or _d is dtypes.uint8:
        _name = f"{_d.scalar_name}Tensor"
        FUNCTIONS[_name] = _Typed(_name, (), {"dtype": _d, "__module__": "torch"})


def _new(self: Any, *args: Any) -> Any:
    """The legacy constructor, with this tensor's dtype."""
    return wrap(legacy(self.dtype, args))


attach("new", _new)
