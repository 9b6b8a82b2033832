"""Tensors from nothing, from Python data and from NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, wrap
from ..backend import placing
from ..backend.indexing import argument
from ..backend.memory import fix
from ..device import require_cpu
from ..errors import unsupported
from ..layout import check_rank
from ..settings import warn, warn_once
from ..size import no_memory
from .declare import primitive
from .parsing import cast, check_array, parse_array
from .promotion import NUMBERS, scalar_dtype
from .publishing import FUNCTIONS, attach, public


def publish(function: Any) -> Any:
    """Enter a function into the `torch` namespace only."""
    FUNCTIONS[function.__name__] = function
    return function


def finish(a: Any, requires_grad: bool = False, out: Any = None) -> Any:
    """The tensor around a new array, with the options that every constructor has."""
    if out is not None:
        from .publishing import write_out

        return write_out("new", wrap(a), out, quiet=True)
    x = wrap(a)
    if get_mode().inference:
        x._inference = True
    if requires_grad:
        if a.dtype.kind not in "fc" and not x.dtype.is_floating_point:
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        x.requires_grad_(True)
    return x


def shape_of(sizes: Any, name: str = "size") -> tuple[int, ...]:
    """A shape from `f(2, 3)`, `f((2, 3))` or `f(Size)`; numbers may be 0-d tensors."""
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = sizes[0]
        alone = ", but found element of type {} at pos 0"
    elif len(sizes) == 1 and isinstance(sizes[0], Tensor) and sizes[0]._array.ndim == 1:
        sizes = sizes[0].tolist()
    else:
        alone = ", not {}"
    if all(n.__class__ is int for n in sizes):
        return tuple(sizes)
    shape = []
    for position, n in enumerate(sizes):
        if n.__class__ is not int:
            if isinstance(n, (bool, float, str)) or not hasattr(n, "__index__"):
                kind = type(n).__name__
                if position:
                    raise TypeError(
                        f"{name}(): argument 'size' failed to unpack the object at pos {position + 1} with error \"type "
                        f'must be tuple of ints,but got {kind}"'
                    )
                raise TypeError(f"{name}(): argument 'size' (position 1) must be tuple of ints{alone.format(kind)}")
            n = n.__index__()
        shape.append(n)
    return tuple(shape)


def formatted(a: Any, fmt: Any) -> Any:
    """A fresh array in a memory format."""
    if not fmt.name.startswith("channels_last"):
        return a
    check_rank(a.ndim, fmt.name)
    return placing.picture(a, True)


def filled(shape: tuple[int, ...], value: Any, d: dtypes.dtype | None, name: str = "empty") -> Any:
    """A new array; `value` None leaves it uninitialised."""
    if shape and min(shape) < 0:
        if name == "zeros":
            raise RuntimeError("zeros: Dimension size must be non-negative.")
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    np_dtype = _numpy_type(d, name)
    make: Any = np.empty
    if value is None:
        given: tuple[Any, ...] = (shape, np_dtype)
    elif value.__class__ is int and value == 0:
        make, given = np.zeros, (shape, np_dtype)
    else:
        make, given = np.full, (shape, argument(value, np_dtype), np_dtype)
    try:
        return make(*given)
    except (ValueError, MemoryError):
        raise no_memory(shape, np_dtype.itemsize) from None


def _numpy_type(d: Any, name: str) -> Any:
    if d is None:
        return dtypes.get_default_dtype().np
    if d.__class__ is not dtypes.dtype and d not in dtypes._FROM_PYTHON:
        raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(d).__name__}")
    return dtypes.to_numpy(d)


def _fill_value(value: Any, name: str) -> Any:
    """A number, also out of a 0-d tensor."""
    if isinstance(value, Tensor) and value._array.ndim == 0:
        return value.item()
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, NUMBERS):
        raise TypeError(f"{name}(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    return value


def check_options(options: dict[str, Any], name: str) -> None:
    """Accept `device`, `layout`, `pin_memory`, `names`, `memory_format`; refuse what cannot be honoured."""
    require_cpu(options.pop("device", None))
    layout = options.pop("layout", None)
    if layout is not None and layout.name != "strided":
        raise unsupported(f"the layout {layout}")
    options.pop("pin_memory", None)
    options.pop("memory_format", None)
    if options.pop("names", None) is not None:
        raise unsupported("named tensors")
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(options))}'")


def _constructor(name: str, value: Any) -> Any:
    def make(*size: Any, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
        if not size:
            if "size" not in options:
                raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
            size = (options.pop("size"),)
        fmt = None
        if options:
            fmt = options.pop("memory_format", None)
            check_options(options, name)
        if out is not None and dtype is None:
            dtype = out.dtype
        a = filled(shape_of(size, name), value, dtype, name)
        return finish(a if fmt is None else formatted(a, fmt), requires_grad, out)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"A tensor of the given size, {'uninitialised' if value is None else f'filled with {value}'}."
    return publish(make)


zeros = _constructor("zeros", 0)
ones = _constructor("ones", 1)
empty = _constructor("empty", None)


@publish
def full(
    size: Any, fill_value: Any, *, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """A tensor of the given size filled with one value, of the value's own type unless `dtype` says otherwise."""
    check_options(options, "full")
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    if isinstance(fill_value, Tensor):
        dtype = dtype or fill_value.dtype
    fill_value = _fill_value(fill_value, "full")
    if dtype is None:
        dtype = out.dtype if out is not None else scalar_dtype(fill_value)
    return finish(filled(shape_of((size,), "full"), fill_value, dtype, "full"), requires_grad, out)


def _like(name: str, value: Any) -> Any:
    def make(input: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
        if not isinstance(input, Tensor):
            from .publishing import type_error

            raise type_error(name, input)
        fmt = options.pop("memory_format", None)
        check_options(options, name)
        return finish(array_like(input, value, dtype, fmt), requires_grad)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"As `{name.removesuffix('_like')}`, with the shape, dtype and memory order of `input`."
    return publish(make)


def array_like(x: Any, value: Any, d: Any = None, fmt: Any = None) -> Any:
    """A new array of the shape and (if dense) memory order of a tensor."""
    a = x._array
    np_dtype = a.dtype if d is None else dtypes.to_numpy(d)
    name = "preserve_format" if fmt is None else fmt.name
    if name.startswith("channels_last"):
        out = placing.empty(a.shape, (0, *range(2, a.ndim), 1), np_dtype)
    elif a.flags.c_contiguous or name == "contiguous_format":
        out = np.empty(a.shape, np_dtype)
    else:
        out = placing.empty_like(a, np_dtype)
    if value is not None:
        out[...] = argument(value, np_dtype)
    return out


zeros_like, ones_like, empty_like = _like("zeros_like", 0), _like("ones_like", 1), _like("empty_like", None)


@publish
def full_like(input: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """As `full`, with the shape, dtype and memory order of `input`."""
    fmt = options.pop("memory_format", None)
    check_options(options, "full_like")
    value = _fill_value(fill_value, "full_like")
    return finish(array_like(input, value, dtype, fmt), requires_grad)


def _new(name: str, value: Any) -> Any:
    def make(self: Any, *size: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
        if not size:
            if "size" not in options:
                raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
            size = (options.pop("size"),)
        if options:
            check_options(options, name)
        return finish(filled(shape_of(size, name), value, dtype or self.dtype), requires_grad)

    make.__name__ = name
    make.__qualname__ = f"Tensor.{name}"
    make.__doc__ = "A new tensor of the given size, with this tensor's dtype."
    attach(name, make)


_new("new_zeros", 0)
_new("new_ones", 1)
_new("new_empty", None)


@public(name="new_full", namespace=False)
def _new_full(
    self: Any, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """A new tensor filled with one value, with this tensor's dtype."""
    check_options(options, "new_full")
    value = _fill_value(fill_value, "new_full")
    return finish(
        filled(shape_of((size,) if isinstance(size, (tuple, list)) else (tuple(size),)), value, dtype or self.dtype),
        requires_grad,
    )


@public(name="new_empty_strided", namespace=False)
def _new_empty_strided(
    self: Any, size: Any, stride: Any, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """An uninitialised tensor with the given strides."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, requires_grad=requires_grad, **options)


def _copied(call: str, data: Any, dtype: Any, requires_grad: bool) -> Any:
    """A tensor made from a tensor, and PyTorch's advice."""
    warn(
        "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
        f"sourceTensor.detach().clone().requires_grad_(True), rather than {call}(sourceTensor)."
    )
    return finish(cast(data._array.copy(), dtype), requires_grad)


@public(name="new_tensor", namespace=False)
def _new_tensor(self: Any, data: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """A copy of `data` with this tensor's dtype."""
    if isinstance(data, Tensor):
        check_options(options, "new_tensor")
        return _copied("tensor.new_tensor", data, dtype or self.dtype, requires_grad)
    return tensor(data, dtype=dtype or self.dtype, requires_grad=requires_grad, **options)


@publish
def empty_strided(size: Any, stride: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """An uninitialised tensor with the given shape and strides (in elements)."""
    check_options(options, "empty_strided")
    np_dtype = dtypes.to_numpy(dtype or dtypes.get_default_dtype())
    span = 1 + sum((n - 1) * s for n, s in zip(size, stride, strict=True)) if 0 not in size else 0
    flat = np.empty(span, np_dtype)
    strides = tuple(s * flat.itemsize for s in stride)
    return finish(np.lib.stride_tricks.as_strided(flat, tuple(size), strides), requires_grad)


@publish
def empty_permuted(
    size: Any, physical_layout: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """An uninitialised tensor whose dimensions lie in memory in the order `physical_layout`."""
    check_options(options, "empty_permuted")
    a = np.empty([size[i] for i in physical_layout], dtypes.to_numpy(dtype or dtypes.get_default_dtype()))
    return finish(a.transpose(np.argsort(physical_layout)), requires_grad)


# ---- from data --------------------------------------------------------------------------------------------------------


@publish
def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """A new tensor with a copy of `data`: a number, nested sequences, an array or a tensor.

    https://docs.pytorch.org/docs/stable/generated/torch.tensor.html

    >>> import rushlight as torch
    >>> torch.tensor([[1, 2], [3, 4]]).dtype, torch.tensor([0.5, 1]).dtype
    (torch.int64, torch.float32)
    """
    check_options(options, "tensor")
    if isinstance(data, Tensor):
        return _copied("torch.tensor", data, dtype, requires_grad)
    if dtype is not None and dtype.__class__ is not dtypes.dtype:
        dtype = dtypes.of_array(_numpy_type(dtype, "tensor"))
    return finish(parse_array(data, dtype), requires_grad)


@publish
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """`data` as a tensor, sharing memory with a tensor or array of the right dtype."""
    require_cpu(device)
    if isinstance(data, Tensor):
        return data if dtype is None or dtype is data.dtype else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.to_numpy(dtype) == data.dtype):
        return from_numpy(data)
    return finish(parse_array(data, dtype))


@publish
def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None, requires_grad: Any = None) -> Any:
    """`obj` as a tensor; `copy` True always copies, False never."""
    if requires_grad is None:
        requires_grad = isinstance(obj, Tensor) and obj.requires_grad
        if requires_grad:
            warn(
                "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass "
                "requires_grad=False explicitly to get the old behavior and silence this warning.",
                UserWarning,
            )
    if isinstance(obj, (bytes, bytearray, memoryview)):
        obj = frombuffer(obj, dtype=dtype or dtypes.get_default_dtype())
    x = as_tensor(obj, dtype, device)
    shares = isinstance(obj, (Tensor, np.ndarray)) and np.shares_memory(
        x._array, obj if isinstance(obj, np.ndarray) else obj._array
    )
    if copy is True and shares:
        x = x.clone() if requires_grad else x.clone().detach()
    if copy is False and not shares:
        raise ValueError(
            "can't alias arbitrary sequence into a tensor."
            if not isinstance(obj, (Tensor, np.ndarray))
            else "can't alias tensor with dtype"
        )
    if requires_grad and not x.requires_grad:
        x = x.detach().requires_grad_()
    elif not requires_grad and isinstance(obj, Tensor) and x.requires_grad:
        x = x.detach()
    return x


_READ_ONLY = (
    "The given {} is not writable, and PyTorch does not support non-writable tensors. This means {}. You may want to copy "
    "the {} to protect its data or make it writable before converting it to a tensor. This type of warning will be "
    "suppressed for the rest of this program."
)
_WRITES = "you can write to the underlying (supposedly non-writable) buffer using the tensor"


@publish
def from_numpy(ndarray: Any) -> Any:
    """A tensor that shares the memory of an array."""
    if not isinstance(ndarray, np.ndarray):
        module = "numpy." if isinstance(ndarray, np.generic) else ""
        raise TypeError(f"expected np.ndarray (got {module}{type(ndarray).__name__})")
    check_array(ndarray)
    if type(ndarray) is not np.ndarray:
        ndarray = ndarray.view(np.ndarray)
    if not ndarray.flags.writeable:
        warn_once(_READ_ONLY.format("NumPy array", "writing to this tensor will result in undefined behavior", "array"))
    fix(ndarray)
    return wrap(ndarray)


@publish
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Any:
    """A 1-d tensor that shares the memory of a Python buffer."""
    kind = dtypes.to_numpy(dtype)
    try:
        size = memoryview(buffer).nbytes
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    if not size or not count:
        raise ValueError(f"both buffer length ({size}) and count ({count}) must not be 0")
    if not 0 <= offset < size:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({size} bytes) minus 1"
        )
    if count < 0 and (size - offset) % kind.itemsize:
        raise ValueError(
            f"buffer length ({size} bytes) after offset ({offset} bytes) must be a multiple of element size ({kind.itemsize})"
        )
    if count > 0 and offset + count * kind.itemsize > size:
        raise ValueError(
            f"requested buffer length ({count} * {kind.itemsize} bytes) after offset ({offset} bytes) must not be greater "
            f"than actual buffer length ({size} bytes)"
        )
    a = np.frombuffer(buffer, kind, count, offset)
    if not a.flags.writeable:
        warn_once(_READ_ONLY.format("buffer", _WRITES, "buffer"))
    fix(a)
    return finish(a, requires_grad)


@publish
def from_dlpack(ext_tensor: Any, **options: Any) -> Any:
    """A tensor that shares the memory of any object with `__dlpack__`."""
    return wrap(np.from_dlpack(ext_tensor))


@publish
def scalar_tensor(value: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """A 0-d tensor."""
    check_options(options, "scalar_tensor")
    value = value.item() if isinstance(value, Tensor) else value
    return finish(np.array(value, dtypes.to_numpy(dtype or dtypes.get_default_dtype())), requires_grad)


# ---- ranges -------------------------------------------------------------------------------------------------------------


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, (Tensor, np.generic)) else x


@publish
def arange(*args: Any, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """Numbers from `start` (0) to before `end` by `step` (1).

    >>> import rushlight as torch
    >>> torch.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    named = {k: options.pop(k) for k in ("start", "end", "step") if k in options}
    check_options(options, "arange")
    labels = ["end"] if len(args) == 1 and "end" not in named else ["start", "end", "step"]
    if len(args) > 3 or not (args or named) or not named.keys().isdisjoint(labels[: len(args)]):
        kinds = ", ".join([type(v).__name__ for v in args])
        raise TypeError(f"arange() received an invalid combination of arguments - got ({kinds}), but expected one of:")
    given = dict(zip(labels, args, strict=False)) | named
    for position, (label, value) in enumerate(given.items(), 1):
        if not isinstance(value, (Tensor, np.generic, *NUMBERS)):
            raise TypeError(
                f"arange(): argument '{label}' (position {position}) must be Number, not {type(value).__name__}"
            )
    start, end, step = _number(given.get("start", 0)), _number(given["end"]), _number(given.get("step", 1))
    if any(v.__class__ is complex for v in (start, end, step)):
        raise RuntimeError("value cannot be converted to type double without overflow")
    whole = all(isinstance(v, int) for v in (start, end, step))
    if dtype is None:
        dtype = out.dtype if out is not None else dtypes.int64 if whole else dtypes.get_default_dtype()
    if dtype is dtypes.bool:
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    if not all(math.isfinite(v) for v in (start, end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    span, stride = end - start, step
    if dtype.category == dtypes.INT and not whole:
        start, end, step = int(start), int(end), int(step)
        if dtype is dtypes.int64:
            span, stride = end - start, step
    if step == 0:
        raise (RuntimeError if whole or dtype.category != dtypes.INT else ValueError)("step must be nonzero")
    if span * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    n = -(-span // stride) if isinstance(span, int) and isinstance(stride, int) else math.ceil(span / stride)
    kind = np.int64 if all(isinstance(v, int) for v in (start, step)) else np.float64
    if out is not None and out.numel() not in (0, n):
        warn(
            f"The number of elements in the out tensor of shape {list(out.shape)} is {out.numel()} which does not match the "
            f"computed number of elements {n}. Note that this may occur as a result of rounding error. The out tensor will "
            f"be resized to a tensor of shape ({n},)."
        )
    return finish((start + np.arange(n, dtype=kind) * step).astype(dtypes.to_numpy(dtype)), requires_grad, out)


@public(name="range", method=False)
def range_to(
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    *,
    out: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Any:
    """Like `arange`, including the end (deprecated in PyTorch)."""
    warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
    )
    check_options(options, "range")
    if end is None:
        start, end = 0, start
    n = int((end - start) / step) + 1
    d = dtypes.to_numpy(dtype or dtypes.get_default_dtype())
    return finish((start + np.arange(n) * step).astype(d), requires_grad, out)


def _steps(start: Any, end: Any, steps: Any, d: Any, name: str) -> tuple[Any, Any, Any, Any]:
    start, end = _number(start), _number(end)
    if steps is None or isinstance(steps, float):
        kinds = ", ".join(type(v).__name__ for v in (start, end, steps) if v is not None)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds}), but expected one of:")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    if d is None:
        d = dtypes.get_default_dtype()
        if isinstance(start, complex) or isinstance(end, complex):
            d = d.to_complex()
    return start, end, int(steps), d


def linspace_array(start: Any, end: Any, steps: int, d: dtypes.dtype) -> Any:
    """Evenly spaced values computed from both ends, as PyTorch does, so that they are symmetric."""
    compute = np.dtype(np.float64) if d.category <= dtypes.INT else d.np
    if d.category == dtypes.INT:
        start, end = int(start), int(end)
    if steps == 1:
        return np.array([start]).astype(d.np)
    s, e = compute.type(start), compute.type(end)
    step = (e - s) / compute.type(max(steps - 1, 1))
    i = np.arange(steps)
    first = i < steps // 2
    with np.errstate(all="ignore"):
        values = np.where(first, s + step * i.astype(compute), e - step * (steps - 1 - i).astype(compute))
        if d.category == dtypes.INT:
            values = np.trunc(values)
        return values.astype(d.np)


@publish
def linspace(
    start: Any,
    end: Any,
    steps: Any = None,
    *,
    out: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Any:
    """`steps` evenly spaced numbers from `start` to `end`, both included."""
    check_options(options, "linspace")
    start, end, steps, d = _steps(start, end, steps, dtype or (out.dtype if out is not None else None), "linspace")
    return finish(linspace_array(start, end, steps, d), requires_grad, out)


@publish
def logspace(
    start: Any,
    end: Any,
    steps: Any = None,
    base: float = 10.0,
    *,
    out: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Any:
    """`steps` numbers from `base**start` to `base**end`, evenly spaced on a logarithmic scale."""
    check_options(options, "logspace")
    start, end, steps, d = _steps(start, end, steps, dtype or (out.dtype if out is not None else None), "logspace")
    if d.category == dtypes.INT:
        start, end = int(start), int(end)
    with np.errstate(all="ignore"):
        exponent = linspace_array(start, end, steps, d if d.category >= dtypes.FLOAT else dtypes.float64)
        kind = exponent.dtype.type
        return finish(np.power(kind(base), exponent).astype(d.np), requires_grad, out)


@publish
def eye(
    n: Any, m: Any = None, *, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """Ones on the diagonal of an (n, m) matrix of zeros."""
    check_options(options, "eye")
    if n < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {n}")
    if m is not None and m < 0:
        raise RuntimeError(f"m must be greater or equal to 0, got {m}")
    d = dtypes.to_numpy(dtype or (out.dtype if out is not None else dtypes.get_default_dtype()))
    return finish(np.eye(n, m if m is not None else n, dtype=d), requires_grad, out)


@public(name="complex", method=False)
def complex_tensor(real: Any, imag: Any, *, out: Any = None) -> Any:
    """A complex tensor from its real and imaginary parts."""
    if real.dtype is not imag.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {real.dtype.scalar_name} but got scalar type {imag.dtype.scalar_name} for second argument"
        )
    if real.dtype.category != dtypes.FLOAT:
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {real.dtype.scalar_name} and {imag.dtype.scalar_name}"
        )
    y = complex_of(real, imag)
    if out is not None:
        from .publishing import write_out

        return write_out("complex", y, out)
    return y


def _join(a: Any, b: Any) -> Any:
    shape = np.broadcast_shapes(a.shape, b.shape)
    out = placing.following(shape, (a, b), np.complex64 if a.dtype == np.float32 else np.complex128)
    out.real, out.imag = a, b
    return out


complex_of: Any = primitive(
    "ComplexBackward0", _join, tensors=True,
    a=lambda g, a_shape: g.real.sum_to_size(a_shape), b=lambda g, b_shape: g.imag.sum_to_size(b_shape),
)  # fmt: skip


__all__ = ["array_like", "filled", "finish", "from_numpy", "shape_of"]
