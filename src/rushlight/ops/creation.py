"""Tensors from nothing, from Python data and from NumPy arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, wrap
from ..device import require_cpu
from ..errors import unsupported
from ..size import Size
from .declare import FUNCTIONS, attach, public
from .promotion import NUMBERS, scalar_dtype


def publish(function: Any) -> Any:
    """Enter a function into the `torch` namespace only."""
    FUNCTIONS[function.__name__] = function
    return function


def finish(a: Any, requires_grad: bool = False, out: Any = None) -> Any:
    """The tensor around a new array, with the options that every constructor has."""
    if out is not None:
        from .declare import write_out

        return write_out("new", wrap(a), out)
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
    elif len(sizes) == 1 and isinstance(sizes[0], Tensor) and sizes[0]._array.ndim == 1:
        sizes = sizes[0].tolist()
    shape = []
    for n in sizes:
        if n.__class__ is not int:
            if isinstance(n, (bool, float, str)) or not hasattr(n, "__index__"):
                raise TypeError(f"{name}(): argument 'size' must be tuple of ints, but found element of type {type(n).__name__}")
            n = n.__index__()
        shape.append(n)
    return tuple(shape)


def filled(shape: tuple[int, ...], value: Any, d: dtypes.dtype | None) -> Any:
    """A new array; `value` None leaves it uninitialised."""
    if any(n < 0 for n in shape):
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    np_dtype = dtypes.to_numpy(d or dtypes.get_default_dtype())
    if value is None:
        return np.empty(shape, np_dtype)
    if value.__class__ is int and value == 0:
        return np.zeros(shape, np_dtype)
    return np.full(shape, value, np_dtype)


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
                raise TypeError(f'{name}() received an invalid combination of arguments - got ({", ".join(type(v).__name__ for v in size)}), but expected one of:\n * (tuple of ints size, *, ...)')
            size = (options.pop("size"),)
        if options:
            check_options(options, name)
        if out is not None and dtype is None:
            dtype = out.dtype
        return finish(filled(shape_of(size, name), value, dtype), requires_grad, out)

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
    if isinstance(fill_value, Tensor):
        dtype, fill_value = dtype or fill_value.dtype, fill_value.item()
    if dtype is None:
        dtype = out.dtype if out is not None else scalar_dtype(fill_value)
    shape = shape_of((size,) if isinstance(size, (tuple, list)) else (tuple(size),), "full")
    return finish(filled(shape, fill_value, dtype), requires_grad, out)


def _like(name: str, value: Any) -> Any:
    def make(input: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:  # noqa: A002
        if not isinstance(input, Tensor):
            from .declare import type_error

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
    if a.flags.c_contiguous or (fmt is not None and fmt.name == "contiguous_format"):
        out = np.empty(a.shape, np_dtype)
    elif fmt is not None and fmt.name.startswith("channels_last"):
        axes = (0, *range(2, a.ndim), 1)
        out = np.empty([a.shape[i] for i in axes], np_dtype).transpose(np.argsort(axes))
    else:
        out = np.empty_like(a, dtype=np_dtype, order="K")
    if value is not None:
        out[...] = value
    return out


zeros_like, ones_like, empty_like = _like("zeros_like", 0), _like("ones_like", 1), _like("empty_like", None)


@publish
def full_like(input: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:  # noqa: A002
    """As `full`, with the shape, dtype and memory order of `input`."""
    fmt = options.pop("memory_format", None)
    check_options(options, "full_like")
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return finish(array_like(input, value, dtype, fmt), requires_grad)


def _new(name: str, value: Any) -> Any:
    def make(self: Any, *size: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
        if not size and "size" in options:
            size = (options.pop("size"),)
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
def _new_full(self: Any, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """A new tensor filled with one value, with this tensor's dtype."""
    check_options(options, "new_full")
    value = fill_value.item() if isinstance(fill_value, Tensor) else fill_value
    return finish(filled(shape_of((size,) if isinstance(size, (tuple, list)) else (tuple(size),)), value, dtype or self.dtype), requires_grad)


@public(name="new_empty_strided", namespace=False)
def _new_empty_strided(self: Any, size: Any, stride: Any, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """An uninitialised tensor with the given strides."""
    return empty_strided(size, stride, dtype=dtype or self.dtype, requires_grad=requires_grad, **options)


@public(name="new_tensor", namespace=False)
def _new_tensor(self: Any, data: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """A copy of `data` with this tensor's dtype."""
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
def empty_permuted(size: Any, physical_layout: Any, *, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """An uninitialised tensor whose dimensions lie in memory in the order `physical_layout`."""
    check_options(options, "empty_permuted")
    a = np.empty([size[i] for i in physical_layout], dtypes.to_numpy(dtype or dtypes.get_default_dtype()))
    return finish(a.transpose(np.argsort(physical_layout)), requires_grad)


# ---- from data --------------------------------------------------------------------------------------------------------


def _array_from(data: Any, d: Any) -> Any:
    """A new array of Python data: nested sequences of numbers and 0-d tensors, or anything NumPy reads."""
    if isinstance(data, (np.ndarray, np.generic)):
        a = np.array(data)
        if d is None:
            dtypes.of_array(a.dtype)
        return a if d is None else a.astype(dtypes.to_numpy(d))
    if isinstance(data, NUMBERS):
        return np.array(data, dtypes.to_numpy(d or scalar_dtype(data)))
    if isinstance(data, (list, tuple)) or hasattr(data, "__len__"):
        plain = _plain(data)
        _check_rectangular(plain)
        try:
            a = np.array(plain)
        except (ValueError, OverflowError) as error:
            raise ValueError(str(error)) from None
        if a.dtype == object:
            bad = next((v for v in a.reshape(-1).tolist() if not isinstance(v, NUMBERS)), None)
            if bad is None:
                raise RuntimeError("Overflow when unpacking long long")
            raise TypeError(f"new(): invalid data type '{type(bad).__name__}'" if isinstance(bad, str) else f"must be real number, not {type(bad).__name__}")
        if a.dtype.kind in "US":
            raise TypeError(f"new(): invalid data type '{'str' if a.dtype.kind == 'U' else 'bytes'}'")
        if d is None:
            d = _inferred(a, plain)
        with np.errstate(all="ignore"):
            return a.astype(dtypes.to_numpy(d))
    if hasattr(data, "__array__") or hasattr(data, "__array_interface__"):
        return _array_from(np.asarray(data), d)
    if isinstance(data, str):
        raise TypeError("new(): invalid data type 'str'")
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")


def _plain(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.tolist() if data._array.ndim == 0 else data._array
    if isinstance(data, (list, tuple)):
        return [_plain(item) for item in data] if any(not isinstance(v, NUMBERS) for v in data) else data
    return data


def _check_rectangular(data: Any) -> None:
    """Nested sequences must have equal lengths; the error names the first that does not."""

    def length(item: Any) -> int | None:
        return len(item) if isinstance(item, (list, tuple)) or (isinstance(item, np.ndarray) and item.ndim) else None

    level, depth = [data], 0
    while level and all(isinstance(item, (list, tuple)) for item in level):
        n = len(level[0])
        for item in level:
            if len(item) != n:
                raise ValueError(f"expected sequence of length {n} at dim {depth} (got {len(item)})")
        children = [child for item in level for child in item]
        kinds = {length(child) is None for child in children}
        if len(kinds) > 1:
            raise TypeError("not a sequence" if kinds else "")
        level, depth = children, depth + 1


def _inferred(a: Any, data: Any) -> dtypes.dtype:
    if a.dtype.kind == "f":
        return dtypes.get_default_dtype() if a.size == 0 or not _has_typed(data) else dtypes.of_array(a.dtype)
    if a.dtype.kind == "c":
        return dtypes.get_default_dtype().to_complex()
    if a.dtype.kind in "iu":
        return dtypes.int64
    if a.dtype.kind == "b":
        return dtypes.bool
    return dtypes.of_array(a.dtype)


def _has_typed(data: Any) -> bool:
    """Whether nested data holds arrays or NumPy scalars, whose type decides."""
    while isinstance(data, (list, tuple)) and len(data):
        data = data[0]
    return isinstance(data, (np.ndarray, np.generic))


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
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        return finish(data._array.astype(dtypes.to_numpy(dtype or data.dtype)), requires_grad)
    return finish(_array_from(data, dtype), requires_grad)


@publish
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Any:
    """`data` as a tensor, sharing memory with a tensor or array of the right dtype."""
    require_cpu(device)
    if isinstance(data, Tensor):
        return data if dtype is None or dtype is data.dtype else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.to_numpy(dtype) == data.dtype):
        return from_numpy(data)
    return finish(_array_from(data, dtype))


@publish
def asarray(obj: Any, *, dtype: Any = None, device: Any = None, copy: Any = None, requires_grad: bool = False) -> Any:
    """`obj` as a tensor; `copy` True always copies, False never."""
    x = as_tensor(obj, dtype, device)
    shares = isinstance(obj, (Tensor, np.ndarray)) and np.shares_memory(x._array, obj if isinstance(obj, np.ndarray) else obj._array)
    if copy is True and shares:
        x = x.clone().detach()
    if copy is False and not shares:
        raise ValueError("can't alias arbitrary sequence into a tensor." if not isinstance(obj, (Tensor, np.ndarray)) else "can't alias tensor with dtype")
    if requires_grad and not x.requires_grad:
        x = x.detach().requires_grad_()
    elif not requires_grad and isinstance(obj, Tensor) and x.requires_grad:
        x = x.detach()
    return x


@publish
def from_numpy(ndarray: Any) -> Any:
    """A tensor that shares the memory of an array."""
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    if any(s < 0 for s in ndarray.strides):
        raise ValueError(
            "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
            "currently supported. (You can probably work around this by making a copy of your array  with array.copy().) "
        )
    if not ndarray.dtype.isnative:
        raise ValueError(
            "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
            "currently not supported."
        )
    dtypes.of_array(ndarray.dtype)
    if type(ndarray) is not np.ndarray:
        ndarray = ndarray.view(np.ndarray)
    return wrap(ndarray)


@publish
def frombuffer(buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> Any:
    """A 1-d tensor that shares the memory of a Python buffer."""
    a = np.frombuffer(buffer, dtypes.to_numpy(dtype), count, offset)
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
    named = [options.pop(k, None) for k in ("start", "end", "step")]
    check_options(options, "arange")
    values: list[Any] = [_number(v) for v in args]
    if len(values) == 1:
        values = [0, values[0]] if named[1] is None else [values[0], named[1]]
    start = named[0] if named[0] is not None else values[0] if values else 0
    end = named[1] if named[1] is not None else values[1]
    step = named[2] if named[2] is not None else values[2] if len(values) > 2 else 1
    start, end, step = _number(start), _number(end), _number(step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not all(math.isfinite(v) for v in (start, end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype is None:
        whole = all(isinstance(v, int) for v in (start, end, step))
        dtype = out.dtype if out is not None else dtypes.int64 if whole else dtypes.get_default_dtype()
    np_dtype = dtypes.to_numpy(dtype)
    if dtype.category <= dtypes.INT and not all(isinstance(v, int) for v in (start, end, step)):
        start, end, step = int(start), int(end) if end == int(end) or dtype.category == dtypes.FLOAT else end, int(step)
    n = max(math.ceil((end - start) / step), 0)
    kind = np.int64 if all(isinstance(v, int) for v in (start, step)) else np.float64
    return finish((start + np.arange(n, dtype=kind) * step).astype(np_dtype), requires_grad, out)


@publish
def range(start: Any = 0, end: Any = None, step: Any = 1, *, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """Like `arange`, including the end (deprecated in PyTorch)."""
    check_options(options, "range")
    if end is None:
        start, end = 0, start
    n = int((end - start) / step) + 1
    d = dtypes.to_numpy(dtype or dtypes.get_default_dtype())
    return finish((start + np.arange(n) * step).astype(d), requires_grad, out)


def _steps(start: Any, end: Any, steps: Any, d: Any, name: str) -> tuple[Any, Any, Any, Any]:
    start, end = _number(start), _number(end)
    if steps is None or isinstance(steps, float):
        raise TypeError(f"{name}(): argument 'steps' (position 3) must be int, not {type(steps).__name__}")
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    if d is None:
        d = dtypes.get_default_dtype()
        if isinstance(start, complex) or isinstance(end, complex):
            d = d.to_complex()
    return start, end, int(steps), d


def linspace_array(start: Any, end: Any, steps: int, d: dtypes.dtype) -> Any:
    """Evenly spaced values computed from both ends, as PyTorch does, so that they are symmetric."""
    compute = np.dtype(np.float64) if d.category <= dtypes.INT or d.itemsize < 4 else d.np
    if d.category == dtypes.INT and isinstance(start, float):
        start, end = int(start), int(end)
    if steps == 1:
        return np.array([start]).astype(d.np)
    if d.itemsize < 4 and d.category == dtypes.FLOAT:
        compute = np.dtype(np.float32)
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
def linspace(start: Any, end: Any, steps: Any = None, *, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """`steps` evenly spaced numbers from `start` to `end`, both included."""
    check_options(options, "linspace")
    start, end, steps, d = _steps(start, end, steps, dtype or (out.dtype if out is not None else None), "linspace")
    return finish(linspace_array(start, end, steps, d), requires_grad, out)


@publish
def logspace(start: Any, end: Any, steps: Any = None, base: float = 10.0, *, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
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
def eye(n: Any, m: Any = None, *, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """Ones on the diagonal of an (n, m) matrix of zeros."""
    check_options(options, "eye")
    if n < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {n}")
    if m is not None and m < 0:
        raise RuntimeError(f"m must be greater or equal to 0, got {m}")
    d = dtypes.to_numpy(dtype or (out.dtype if out is not None else dtypes.get_default_dtype()))
    return finish(np.eye(n, m if m is not None else n, dtype=d), requires_grad, out)


@publish
def complex(real: Any, imag: Any, *, out: Any = None) -> Any:
    """A complex tensor from its real and imaginary parts."""
    return _complex(real, imag, out)


def _complex(real: Any, imag: Any, out: Any) -> Any:
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
        from .declare import write_out

        return write_out("complex", y, out)
    return y


from .declare import primitive  # noqa: E402


def _join(a: Any, b: Any) -> Any:
    a, b = np.broadcast_arrays(a, b)
    out = np.empty(a.shape, np.complex64 if a.dtype == np.float32 else np.complex128)
    out.real, out.imag = a, b
    return out


complex_of: Any = primitive(
    "ComplexBackward0", _join, tensors=True,
    a=lambda g, a_shape: g.real.sum_to_size(a_shape), b=lambda g, b_shape: g.imag.sum_to_size(b_shape),
)  # fmt: skip


__all__ = ["Size", "array_like", "filled", "finish", "from_numpy", "shape_of"]
