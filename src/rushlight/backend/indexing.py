"""PyTorch's indexing on arrays: read, write and accumulate, for every index that `x[...]` takes.

An index has two parts. The *basic* part (integers, slices, `None`, `...`) only moves strides, so it gives a view.
The *advanced* part (integer arrays and masks) then gathers from that view. This split is where PyTorch differs from
NumPy: an integer next to an index array is part of the view, and has no say in where the gathered dimensions go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from rushlight import dtypes
from rushlight.backend import kernels as K
from rushlight.backend import placing
from rushlight.settings import warn, warn_once

Array = Any  # numpy.ndarray

_LONG = np.dtype(np.int64)
_BOOL = np.dtype(np.bool_)
_BASIC = frozenset((int, slice, type(None), type(Ellipsis)))
_TAKEN = np.zeros(1, np.int64)
_NOTHING = np.zeros(0, np.int64)


class Index:
    """A parsed index: `view(a)` applies the basic part, and `arrays` says what to gather from it.

    `arrays` has an int64 array or `slice(None)` for each leading dimension of the view, and is empty for a purely
    basic index. `unique` promises that no element is chosen twice.
    """

    __slots__ = ("arrays", "basic", "unique")

    def __init__(self, basic: tuple[Any, ...], arrays: tuple[Any, ...], unique: bool) -> None:
        self.basic, self.arrays, self.unique = basic, arrays, unique

    def view(self, a: Array) -> Array:
        return a[self.basic]

    def positions(self) -> list[int]:
        """The view's dimensions that are gathered from."""
        return [axis for axis, item in enumerate(self.arrays) if item.__class__ is np.ndarray]

    def result_shape(self, view_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what is gathered from a view of this shape."""
        axes = self.positions()
        if len(axes) == 1:
            axis = axes[0]
            return (*view_shape[:axis], *self.arrays[axis].shape, *view_shape[axis + 1 :])
        gathered = np.broadcast_shapes(*(self.arrays[axis].shape for axis in axes))
        rest = tuple(length for axis, length in enumerate(view_shape) if axis not in axes)
        # Neighbours stay where they are; with something between them, they move to the front.
        start = axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0
        return rest[:start] + gathered + rest[start:]


def parse(index: Any, shape: tuple[int, ...]) -> Index:
    """Split `index` into its basic and its advanced part, for an array of `shape`.

    Tensors in it may come as they are (as anything with an `_array`). IndexError for an integer out of bounds, a mask
    of the wrong shape, too many indices or things that are no index; the values of index arrays are not looked at.
    """
    if index.__class__ is Index:
        parsed: Index = index
        return parsed
    if index.__class__ is int and shape and -shape[0] <= index < shape[0]:
        return Index((index, ...), (), True)
    items = [_item(item) for item in _as_tuple(index)]
    specified = sum(map(_dimensions, items))
    ndim = len(shape)
    if specified > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    basic: list[Any] = []
    arrays: list[Any] = []
    axis, elided, unique, advanced = 0, ndim - specified, True, False
    misfit: tuple[Array, int, int] | None = None
    for place, item in enumerate(items):
        kind = item.__class__
        if kind is int:
            if not -shape[axis] <= item < shape[axis]:
                raise _out_of_bounds(item, place, shape[axis])
            basic.append(item)
            axis += 1
        elif kind is slice:
            basic.append(item)
            arrays.append(slice(None))
            axis += 1
        elif item is Ellipsis:
            basic.extend([slice(None)] * elided)
            arrays.extend([slice(None)] * elided)
            axis, elided = axis + elided, 0
        elif item is None:
            basic.append(None)
            arrays.append(slice(None))
        elif kind is bool or item.ndim == 0:  # a 0-d mask is a new dimension that is kept or dropped
            basic.append(None)
            arrays.append(_TAKEN if item else _NOTHING)
            advanced = True
        elif item.dtype == _BOOL:
            if misfit is None and item.shape != shape[axis : axis + item.ndim]:
                misfit = item, axis, len(arrays)
            basic.extend([slice(None)] * item.ndim)
            arrays.extend(item.nonzero())
            axis, advanced = axis + item.ndim, True
        else:
            basic.append(slice(None))
            arrays.append(item)
            axis, advanced, unique = axis + 1, True, False
    basic.append(Ellipsis)  # without it, NumPy answers a full set of integers with a scalar
    if not advanced:
        return Index(tuple(basic), (), True)
    if misfit is not None:
        raise _mask_error(*misfit, shape, np.broadcast_to(_TAKEN[0], shape)[tuple(basic)].shape)
    parsed = Index(tuple(basic), tuple(arrays), unique)
    _check_broadcast([item for item in arrays if item.__class__ is np.ndarray])
    return parsed


def getitem(a: Array, index: Any) -> tuple[Array, bool]:
    """`a[index]`, and whether it is a view of `a`.

    >>> a = np.arange(24).reshape(2, 3, 4)
    >>> getitem(a, (0, slice(None), [1, 2]))[0].shape  # NumPy's own answer has shape (2, 3)
    (3, 2)
    """
    kind = index.__class__
    if kind is int:
        try:
            return a[index, ...], True
        except IndexError:
            raise _integer_error(a, index) from None
    if kind is np.ndarray and index.ndim and a.ndim:
        if index.dtype is _LONG and (a.flags.c_contiguous and index.flags.c_contiguous):
            return _take(a, index, 0), False
        if index.dtype is _BOOL and index.shape == a.shape[: index.ndim] and a.flags.c_contiguous:
            return a[index], False
    if _is_plain(index):
        try:
            return (a[(*index, ...)] if kind is tuple and ... not in index else a[index]), True
        except (IndexError, TypeError):
            pass  # the parser says what is wrong in PyTorch's words
    _check_scalar_slice(a, index)
    parsed = parse(index, a.shape)
    view = a[parsed.basic]
    return (gather(view, parsed), False) if parsed.arrays else (view, True)


def gather(view: Array, parsed: Index) -> Array:
    """The elements that the advanced part of an index picks from its view, as a new array."""
    axes = parsed.positions()
    ordered = view.flags.c_contiguous
    if len(axes) == 1:
        index = parsed.arrays[axes[0]]
        if ordered and index.flags.c_contiguous:
            return _take(view, index, axes[0])
    if not ordered or not all(parsed.arrays[axis].flags.c_contiguous for axis in axes):
        return _gather_scattered(view, parsed, axes)
    if view.size:
        try:
            # NumPy lays gathered dimensions out first, wherever they go; PyTorch's results are in row-major order.
            return np.ascontiguousarray(view[parsed.arrays])
        except IndexError:
            pass
    return _gather_nothing(view, parsed)


def _gather_scattered(view: Array, parsed: Index, axes: list[int]) -> Array:
    """`gather` where the result follows the view's, or else the indices', order in memory."""
    arrays = np.broadcast_arrays(*[parsed.arrays[axis] for axis in axes])
    items = [item.copy() for item in arrays]
    ordered = Index(
        (), tuple(items.pop(0) if axis in axes else slice(None) for axis in range(len(parsed.arrays))), parsed.unique
    )
    out = gather(view.copy(), ordered)
    depth, rest = arrays[0].ndim, [view.strides[axis] for axis in range(view.ndim) if axis not in axes]
    start = axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0
    strides = [[*rest[:start], *[0] * depth, *rest[start:]]]
    strides += [[*[0] * start, *item.strides, *[0] * (len(rest) - start)] for item in arrays]
    return placing.ordered(out, placing.order_of(out.shape, strides))


def setitem_(a: Array, index: Any, value: Any) -> None:
    """`a[index] = value` for an array or a Python scalar.

    The value broadcasts to the indexed part, and may have extra leading dimensions of length 1. RuntimeError if it
    does not fit, or if an advanced index meets an array of another dtype; equal indices keep one of their values.
    """
    if _is_plain(index) or index.__class__ is int:
        _assign_(getitem(a, index)[0], value)
        return
    if index.__class__ is bool:
        if index:  # and `x[False] = y` never looks at y
            _assign_(a[None], value)
        return
    if index.__class__ is np.ndarray and index.dtype is _BOOL and index.shape == a.shape:
        if value.__class__ is not np.ndarray:
            np.putmask(a, index, scalar(value, a.dtype))
            return
        if value.ndim == 0 and value.dtype.kind != "c":
            np.putmask(a, index, value.astype(a.dtype, copy=False))
            return
    _check_scalar_slice(a, index)
    parsed = parse(index, a.shape)
    view = a[parsed.basic]
    if not parsed.arrays:
        _assign_(view, value)
        return
    shape = parsed.result_shape(view.shape)
    if 0 in view.shape:
        _check_bounds(view, parsed, shape)
    source = _put_source(view, shape, value)
    try:
        view[parsed.arrays] = source
    except IndexError:
        _check_bounds(view, parsed, shape)


def accumulate_(a: Array, index: Any, value: Any) -> None:
    """`a[index] += value`, where an element that is chosen many times collects all of its values."""
    parsed = parse(index, a.shape)
    view = a[parsed.basic]
    if not parsed.arrays:
        with np.errstate(all="ignore"):
            np.add(view, value, out=view, casting="unsafe")
        return
    shape = parsed.result_shape(view.shape)
    if 0 in view.shape:
        _check_bounds(view, parsed, shape)
    source = _put_source(view, shape, value)
    if 0 in shape:
        return
    with np.errstate(all="ignore"):
        if parsed.unique:
            view[parsed.arrays] += source
        else:
            _check_bounds(view, parsed, shape)
            _scatter_sum_(view, parsed, np.broadcast_to(source, shape))


def _scatter_sum_(view: Array, parsed: Index, source: Array) -> None:
    """Number the chosen rows of the view, and add each value to its row."""
    axes = parsed.positions()
    arrays = np.broadcast_arrays(*(parsed.arrays[axis] for axis in axes))
    lengths = tuple(view.shape[axis] for axis in axes)
    depth = arrays[0].ndim
    start = axes[0] if axes[-1] - axes[0] == len(axes) - 1 else 0
    rest = [axis for axis in range(view.ndim) if axis not in axes]
    target = view.transpose(axes + rest)
    source = np.moveaxis(source, range(start, start + depth), range(depth))
    wrapped = [np.where(item < 0, item + length, item) for item, length in zip(arrays, lengths, strict=True)]
    rows = np.ravel_multi_index(wrapped, lengths).reshape(-1)
    source = np.ascontiguousarray(source.reshape(rows.size, -1))
    sums = target if target.flags.c_contiguous else np.zeros(target.shape, target.dtype)
    K.index_add_(sums.reshape(math.prod(lengths), -1), 0, rows, source)
    if sums is not target:
        np.add(target, sums, out=target, casting="unsafe")


def scalar(value: Any, dtype: np.dtype[Any]) -> Any:
    """A Python scalar that NumPy can write into an array of `dtype`; RuntimeError if the type cannot hold it."""
    wanted = dtype.kind
    kind = value.__class__
    if (wanted == "f" and (kind is float or kind is int) and -60000 < value < 60000) or (
        wanted in "iu" and kind is int and 0 <= value < 128
    ):
        return value
    if kind is int and not fits_long(value):
        raise ValueError("Overflow when unpacking long long")
    if wanted == "b":
        return np.asarray(bool(value))
    if isinstance(value, complex | np.complexfloating) and wanted != "c":
        if value.imag != 0:
            raise _overflow(dtype)
        value = value.real
    if wanted in "iu":
        limits = np.iinfo(dtype)
        # Negative integers wrap around in an unsigned type, as in two's complement; negative floats do not.
        low = -limits.max if wanted == "u" and not isinstance(value, float) else limits.min
        if not math.isfinite(value) or not low <= value <= limits.max:
            raise _overflow(dtype)
        return np.asarray(int(value) % 2**64, np.uint64).astype(dtype)
    if wanted == "f" and dtype.itemsize == 4 and math.isfinite(value) and abs(value) > float(np.finfo(dtype).max):
        raise _overflow(dtype)
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype)


def fits_long(value: int) -> bool:
    """Whether an integer has 64 bits, signed or not; PyTorch takes no wider ones."""
    return -(2**63) <= value < 2**64


def argument(value: Any, dtype: np.dtype[Any]) -> Any:
    """`scalar` of what a function is given, where PyTorch has other words for wider integers."""
    if value.__class__ is int and not fits_long(value):
        raise OverflowError("int too big to convert")
    return scalar(value, dtype)


_C_NAMES = {"float32": "float", "float64": "double", "float16": "double", "bfloat16": "double", "int32": "int"}


def _overflow(dtype: np.dtype[Any]) -> RuntimeError:
    name = _C_NAMES.get(dtype.name, f"{dtype.name}_t")
    return RuntimeError(f"value cannot be converted to type {name} without overflow")


def _is_plain(index: Any) -> bool:
    """Whether NumPy's own basic indexing gives PyTorch's answer."""
    kind = index.__class__
    if kind is slice:
        return index.step is None or (index.step.__class__ is int and index.step > 0)
    if kind is not tuple:
        return index is None or index is Ellipsis
    for item in index:
        kind = item.__class__
        if kind not in _BASIC:
            return False
        if kind is slice and item.step is not None and (item.step.__class__ is not int or item.step < 1):
            return False
    return True


def _as_tuple(index: Any) -> Sequence[Any]:
    """The items of an index; a short list that holds more than numbers counts as a tuple, with PyTorch's warning."""
    if isinstance(index, tuple):
        return index
    if not isinstance(index, list | range | str) or len(index) >= 32 or not any(map(_counts_as_index, index)):
        return (index,)
    warn(
        "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; "
        "use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, "
        "x[torch.tensor(seq)], which will result either in an error or a different result",
        UserWarning,
    )
    return tuple(index)


def _counts_as_index(item: Any) -> bool:
    if item is None or item is Ellipsis or isinstance(item, slice | list | tuple | range | str | bytes | np.ndarray):
        return True
    return hasattr(item, "_array")


def _item(item: Any) -> Any:
    """One item in its simplest form: int, bool, slice, None, `...`, a mask or an int64 array."""
    kind = item.__class__
    if kind is int or kind is bool or item is None or item is Ellipsis:
        return item
    if kind is slice:
        if item.step is not None:
            step = item.step.__index__() if hasattr(item.step, "__index__") else item.step
            if step.__class__ is int and step <= 0:
                raise ValueError("step must be greater than zero" if step else "slice step cannot be zero")
        item.indices(0)  # a TypeError for ends that are no integers
        return item
    array = getattr(item, "_array", None) if kind is not np.ndarray else item
    if array is not None:
        return _index_array(array)
    if isinstance(item, list | tuple | range | str | bytes):
        return _from_sequence(item)
    if not isinstance(item, np.bool_) and hasattr(item, "__index__"):
        return item.__index__()
    raise IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
        f"(got {_type_name(kind)})"
    )


def _type_name(kind: type) -> str:
    written_in_c = not kind.__flags__ & (1 << 9)
    return f"{kind.__module__}.{kind.__name__}" if written_in_c and kind.__module__ != "builtins" else kind.__name__


def _index_array(a: Array) -> Any:
    """A tensor in an index: a mask, positions, or (0-d) one position."""
    dtype = a.dtype
    if dtype == _LONG and a.ndim:
        return a
    if dtype == np.uint8:
        if a.ndim:
            warn(
                "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                UserWarning,
            )
        return a != 0 if a.ndim else np.asarray(a != 0)
    if dtype == _BOOL:
        return a
    if a.ndim == 0 and dtype.kind in "iu":
        return int(a)
    if dtype == np.int32:
        return a.astype(np.int64)
    raise IndexError("tensors used as indices must be long, int, byte or bool tensors")


def _from_sequence(items: Any) -> Array:
    """A list as an index array: a mask if it starts with a bool, else integers, truncated if need be."""
    if isinstance(items, str | bytes):
        raise TypeError(f"new(): invalid data type '{type(items).__name__}'")
    leaf = items
    while isinstance(leaf, list | tuple | range) and len(leaf):
        leaf = leaf[0]
    flat = [getattr(item, "_array", item) for item in items] if not isinstance(items, range) else items
    try:
        a = np.array(flat)
    except OverflowError:
        raise ValueError("Overflow when unpacking long long") from None
    except ValueError as error:
        raise ValueError(f"expected sequence of equal lengths in an index: {error}") from None
    if a.dtype.kind in "biuf":
        return a if a.dtype == _BOOL else a.astype(np.int64)
    if a.dtype.kind == "O" and a.size and all(isinstance(item, int) for item in a.flat):
        raise ValueError("Overflow when unpacking long long")
    if a.dtype.kind in "SU":
        raise TypeError(f"new(): invalid data type '{type(leaf).__name__}'")
    raise TypeError(f"'{type(leaf).__name__}' object cannot be interpreted as an integer")


def _dimensions(item: Any) -> int:
    """How many dimensions of the array an item uses up."""
    kind = item.__class__
    if kind is bool or item is None or item is Ellipsis:
        return 0
    if kind is np.ndarray:
        count: int = item.ndim if item.dtype == _BOOL else 1
        return count
    return 1


def _mask_error(
    mask: Array, axis: int, position: int, shape: tuple[int, ...], view_shape: tuple[int, ...]
) -> IndexError:
    offset = next(i for i, length in enumerate(mask.shape) if length != shape[axis + i])
    return IndexError(
        f"The shape of the mask {list(mask.shape)} at index {offset} does not match the shape of the indexed "
        f"tensor {list(view_shape)} at index {position + offset}"
    )


def _check_broadcast(arrays: list[Array]) -> None:
    if len(arrays) == 1:
        return
    try:
        np.broadcast_shapes(*(item.shape for item in arrays))
    except ValueError:
        shapes = ", ".join(str(list(item.shape)) for item in arrays)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None


def _out_of_bounds(index: int, dimension: int, size: int) -> IndexError:
    return IndexError(f"index {index} is out of bounds for dimension {dimension} with size {size}")


def _integer_error(a: Array, index: int) -> Exception:
    if not -(2**63) <= index < 2**63:
        return ValueError("Overflow when unpacking long long")
    if a.ndim == 0 and index == 0:
        return IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
            "0-dim tensor to a number"
        )
    return _out_of_bounds(index, 0, a.shape[0] if a.ndim else 0)


def _check_scalar_slice(a: Array, index: Any) -> None:
    if a.ndim == 0 and index.__class__ is slice:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")


def _take(view: Array, index: Array, axis: int) -> Array:
    if view.size:
        try:
            return view.take(index, axis)
        except IndexError:
            pass
    return _gather_nothing(view, Index((...,), ((slice(None),) * axis) + (index,), False))


def _gather_nothing(view: Array, parsed: Index) -> Array:
    """The empty result of an index that NumPy refuses or an empty view, or the error for a position out of bounds."""
    shape = parsed.result_shape(view.shape)
    _check_bounds(view, parsed, shape)
    return np.empty(shape, view.dtype)


def _check_bounds(view: Array, parsed: Index, result_shape: tuple[int, ...]) -> None:
    """IndexError for the first position outside the view; an empty result has none."""
    axes = parsed.positions()
    arrays = [parsed.arrays[axis] for axis in axes]
    sizes = [view.shape[axis] for axis in axes]
    if 0 in np.broadcast_shapes(*(item.shape for item in arrays)):
        return
    if 0 in sizes:
        raise IndexError("index is out of bounds for dimension with size 0")
    if 0 in result_shape:
        return
    if all(item.min() >= -size and item.max() < size for item, size in zip(arrays, sizes, strict=True)):
        return
    spread = np.broadcast_arrays(*arrays)
    wrong = np.stack([(item < -size) | (item >= size) for item, size in zip(spread, sizes, strict=True)], -1)
    place, which = divmod(int(np.flatnonzero(wrong)[0]), len(axes))
    raise _out_of_bounds(int(spread[which].reshape(-1)[place]), which, sizes[which])


def _strip(value: Array) -> Array:
    """Drop the leading dimensions of length 1, which fit any target."""
    while value.ndim and value.shape[0] == 1:
        value = value[0, ...]
    return value


def _assign_(target: Array, value: Any) -> None:
    if value.__class__ is not np.ndarray:
        target[...] = scalar(value, target.dtype)
        return
    if value.ndim > target.ndim or value.shape[:1] == (1,):
        value = _strip(value)
    if value.ndim > target.ndim:
        kind = dtypes.of_array(value.dtype).scalar_name
        raise RuntimeError(
            f"expand(torch.{kind}Tensor{{{list(value.shape)}}}, size={list(target.shape)}): the number of sizes "
            f"provided ({target.ndim}) must be greater or equal to the number of dimensions in the tensor "
            f"({value.ndim})"
        )
    if value.dtype.kind == "c" and target.dtype.kind != "c":
        warn_once("Casting complex values to real discards the imaginary part")
        value = value.real
    try:
        with np.errstate(all="ignore"):
            np.copyto(target, value, casting="unsafe")
    except ValueError:
        raise RuntimeError(_expand_message(value.shape, target.shape)) from None


def _expand_message(shape: tuple[int, ...], target: tuple[int, ...]) -> str:
    offset = len(target) - len(shape)
    for axis in reversed(range(len(shape))):
        if shape[axis] not in (1, target[axis + offset]):
            return (
                f"The expanded size of the tensor ({target[axis + offset]}) must match the existing size "
                f"({shape[axis]}) at non-singleton dimension {axis + offset}.  Target sizes: {list(target)}.  "
                f"Tensor sizes: {list(shape)}"
            )
    return f"cannot write a tensor of shape {list(shape)} into one of shape {list(target)}"


def _put_source(view: Array, shape: tuple[int, ...], value: Any) -> Array:
    """The value of an advanced write, checked against the dtype and shape of its target."""
    if value.__class__ is not np.ndarray:
        return scalar(value, view.dtype)
    if value.dtype != view.dtype:
        to, source = dtypes.of_array(view.dtype).scalar_name, dtypes.of_array(value.dtype).scalar_name
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {to} for the destination and {source} "
            "for the source."
        )
    value = _strip(value)
    try:
        if value.ndim <= len(shape) and np.broadcast_shapes(value.shape, shape) == shape:
            return value
    except ValueError:
        pass
    raise RuntimeError(
        f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of shape "
        f"{list(shape)}"
    )
