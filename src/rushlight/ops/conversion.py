"""Other types and other memory: `to`, `copy_` and their short forms."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import views
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, current_edge
from ..backend import placing
from ..backend.indexing import argument
from ..device import device, require_cpu
from ..layout import preserve_format
from ..settings import warn_once
from .declare import primitive
from .promotion import NUMBERS
from .publishing import FUNCTIONS, attach, public
from .recorded import broadcast_error
from .shape import clone, sum_to_any


def cast_array(a: Any, target: Any) -> Any:
    """An array in another dtype with C's rules, like PyTorch's casts."""
    if not a.flags.c_contiguous:
        return placing.placed(cast_array(a.copy(), target), a)
    if target.char in "fd" and a.dtype.kind in "bui":
        return a.astype(target)  # cannot overflow, and `errstate` costs as much as a small cast
    if a.dtype.kind == "c" and target.kind != "c" and target.kind != "b":
        a = a.real
    with np.errstate(all="ignore"):
        return a.astype(target)


_cast: Any = primitive(
    "ToCopyBackward0", lambda a, target, source: cast_array(a, target),
    a=lambda g, source, target: _cast(g, source, target),
)  # fmt: skip


def cast(x: Any, d: dtypes.dtype) -> Any:
    """`x` in dtype `d`; `x` itself when it has it."""
    target = dtypes.to_numpy(d)
    if x._array.dtype == target:
        return x
    if x._array.dtype.kind == "c" and target.kind != "c" and target.kind != "b":
        _warn_complex()
    return _cast(x, target, x._array.dtype)


def to(self: Any, *args: Any, **kwargs: Any) -> Any:
    """This tensor with another dtype, on another device, or like another tensor; itself when nothing changes.

    >>> import rushlight as torch
    >>> torch.tensor([1.7]).to(torch.int64)
    tensor([1])
    """
    d, copy, fmt = kwargs.pop("dtype", None), kwargs.pop("copy", False), kwargs.pop("memory_format", None)
    kwargs.pop("non_blocking", None)
    require_cpu(kwargs.pop("device", None))
    other = kwargs.pop("other", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    flags = []
    for value in args:
        if isinstance(value, dtypes.dtype):
            d = value
        elif isinstance(value, (str, device)):
            require_cpu(value)
        elif isinstance(value, Tensor):
            other = value
        elif isinstance(value, bool):
            flags.append(value)
        elif isinstance(value, type) and value in dtypes._FROM_PYTHON:
            d = dtypes._FROM_PYTHON[value]
        elif isinstance(value, int):
            require_cpu(device(value))
        elif value is not None:
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({', '.join(type(v).__name__ for v in args)}), but expected one of:\n * (torch.device device = None, "
                "torch.dtype dtype = None, bool non_blocking = False, bool copy = False, *, torch.memory_format "
                "memory_format = None)\n * (torch.dtype dtype, bool non_blocking = False, bool copy = False, *, "
                "torch.memory_format memory_format = None)\n * (Tensor tensor, bool non_blocking = False, bool copy = "
                "False, *, torch.memory_format memory_format = None)\n"
            )
    if len(flags) > 1:
        copy = flags[1]
    if d is not None and d.__class__ is not dtypes.dtype and d not in dtypes._FROM_PYTHON:
        raise TypeError(
            f"to() received an invalid combination of arguments - got (dtype={type(d).__name__}, ), but expected one of:"
        )
    if other is not None:
        d = other.dtype
    y = self if d is None else cast(self, d)
    if fmt is not None and fmt is not preserve_format:
        return in_format(y, fmt, copy and y is self)
    return clone(y) if copy and y is self else y


def in_format(x: Any, fmt: Any, copy: bool = False) -> Any:
    """`x` itself if its strides speak for the memory format, else a copy in it."""
    a = x._array
    last = a.ndim in (4, 5) and placing.channels_last(a)
    own = "contiguous_format" if not last else "channels_last" if a.ndim == 4 else "channels_last_3d"
    return clone(x, memory_format=fmt) if copy or fmt.name != own else x


attach("to", to)
attach("type_as", lambda self, other: cast(self, other.dtype))
attach("cpu", lambda self, memory_format=None: self)


def _cuda(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Refused: there is no CUDA device here."""
    require_cpu("cuda")


attach("cuda", _cuda)


def _short(name: str, d: dtypes.dtype) -> None:
    def method(self: Any, memory_format: Any = None) -> Any:
        return cast(self, d) if memory_format is None else to(self, d, memory_format=memory_format)

    method.__name__ = name
    method.__doc__ = f"This tensor as {d}."
    attach(name, method)


for _name in (
    "float", "double", "half", "bfloat16", "int", "long", "short", "bool", "cfloat", "cdouble", "chalf",
):  # fmt: skip
    _short(_name, getattr(dtypes, _name))
_short("char", dtypes.int8)
_short("byte", dtypes.uint8)


def type_method(self: Any, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the type, as in "torch.FloatTensor", or this tensor in another type."""
    if dtype is None:
        return f"torch.{self.dtype.scalar_name}Tensor"
    if isinstance(dtype, str):
        name = dtype.removeprefix("torch.").removesuffix("Tensor")
        found = next((d for d in dtypes.ALL if d.scalar_name == name), None)
        if found is None:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = found
    if not isinstance(dtype, dtypes.dtype):
        dtype = getattr(dtype, "dtype", dtype)
    return cast(self, dtype)


attach("type", type_method)


def _write_backward(g: Any, b_shape: Any, source: Any) -> Any:
    return cast_any_back(sum_to_any(g, b_shape), source)


def cast_any_back(g: Any, target: Any) -> Any:
    """Cast a gradient back to its input's dtype."""
    own = g._array.dtype if isinstance(g, Tensor) else g.dtype
    return g if own == target else _cast(g, target, own)


_copy: Any = primitive(
    "CopyBackwards", lambda b, shape, target, source: np.broadcast_to(cast_array(b, target), shape),
    b=lambda g, b_shape, source: _write_backward(g, b_shape, source),
)  # fmt: skip


def copy_(self: Any, src: Any, non_blocking: bool = False) -> Any:
    """Write the elements of `src`, broadcast and cast, into this tensor."""
    if not isinstance(src, Tensor):
        from .creation import as_tensor

        if not isinstance(src, (int, float, complex, bool, np.generic)):
            raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {type(src).__name__}")
        src = as_tensor(src)
    views.check_inplace(self)
    a, b = self._array, src._array
    if a.shape != b.shape:
        _check_fit(a, b)
    views.check_overlap(a, b)
    edge = None
    if get_mode().grad:
        source = src._edge if src._base is None else current_edge(src)
        if source is not None and self.dtype.category >= dtypes.FLOAT:
            edge = _copy(src, a.shape, a.dtype, b.dtype)._edge
    if b.dtype.kind == "c" and a.dtype.kind not in "cb":
        _warn_complex()
        b = b.real
    with np.errstate(all="ignore"):
        a[...] = b
    views.rebase(self, edge)
    return self


def _check_fit(a: Any, b: Any) -> None:
    """PyTorch's errors for a `b` that does not broadcast to exactly `a`'s shape."""
    error = broadcast_error(a, b)
    if error is not None:
        raise error
    shape = np.broadcast_shapes(a.shape, b.shape)
    if shape != a.shape:
        raise RuntimeError(f"output with shape {list(a.shape)} doesn't match the broadcast shape {list(shape)}")


def _warn_complex() -> None:
    warn_once("Casting complex values to real discards the imaginary part")


attach("copy_", copy_)


def _full_like(a: Any, b: Any) -> Any:
    out = placing.empty_like(a)
    out[...] = b
    return out


def _filling(name: str, with_tensor: bool) -> Any:
    derivatives: dict[str, Any] = {"b": lambda g: g.sum()} if with_tensor else {}
    return primitive(name, lambda a, b: _full_like(a, b), a=lambda g: g * 0, **derivatives)


# Out of place and in place, with a number and with a tensor.
_fills = [_filling(f"FillBackward{i}", i % 2 == 1) for i in range(4)]
_zero = _filling("ZeroBackward0", False)


@public
def fill(input: Any, value: Any) -> Any:
    """A tensor like `input` filled with one value."""
    return _fills[isinstance(value, Tensor)](input, _fill_value(input, value))


def _fill_value(x: Any, value: Any) -> Any:
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value._array.ndim} dimensions."
            )
        return value
    if not isinstance(value, (*NUMBERS, np.generic)):
        kind = type(value).__name__
        raise TypeError(f"fill_() received an invalid combination of arguments - got ({kind}), but expected one of:")
    return argument(value, x._array.dtype)


def fill_(self: Any, value: Any) -> Any:
    """Write one value everywhere."""
    return _write_everywhere(self, _fill_value(self, value), _fills[2 + isinstance(value, Tensor)])


def zero_(self: Any) -> Any:
    """Write zeros everywhere."""
    return _write_everywhere(self, 0, _zero)


def _write_everywhere(x: Any, value: Any, op: Any) -> Any:
    views.check_inplace(x)
    tensor = isinstance(value, Tensor)
    edge = None
    if get_mode().grad and (x.requires_grad or (tensor and value.requires_grad)):
        edge = op(x, value)._edge
    with np.errstate(all="ignore"):
        x._array[...] = value._array if tensor else value
    views.rebase(x, edge)
    return x


def apply_(self: Any, callable: Any) -> Any:
    """Replace every element by what a Python function makes of it; slow."""
    for i in np.ndindex(self._array.shape):
        self._array[i] = callable(self._array[i].item())
    return self


def map_(self: Any, tensor: Any, callable: Any) -> Any:
    """Replace every element by what a Python function makes of it and its fellow in `tensor`; slow."""
    other = np.broadcast_to(tensor._array, self._array.shape)
    for i in np.ndindex(self._array.shape):
        self._array[i] = callable(self._array[i].item(), other[i].item())
    return self


attach("apply_", apply_)
attach("map_", map_)
attach("fill_", fill_)
attach("zero_", zero_)
FUNCTIONS["fill_"] = fill_
FUNCTIONS["zero_"] = zero_


@public(method=False)
def detach(input: Any) -> Any:
    """The same data outside the graph."""
    return input.detach()
