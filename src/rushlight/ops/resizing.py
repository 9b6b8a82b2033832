"""A tensor that changes its own shape or storage, and views returned as copies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, numel
from ..backend.memory import require_resizable, storage_of
from ..layout import check_rank, contiguous_format
from .creation import shape_of
from .declare import called
from .publishing import FUNCTIONS, attach, public
from .shape import clone, expand, permute, reshape, squeeze, t, transpose, unsqueeze, view
from .slicing import _as_strided_of, _slice, _unfold_method, as_strided, chunk, select, split, unbind

# ---- in-place changes of shape -------------------------------------------------------------------------------------------------------


def _inplace_view(name: str, op: Any, shift: int) -> None:
    """`op` in place; PyTorch's nodes for these are numbered on from those of `op`, by `shift`."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._edge is not None:
            y = op(self, *args, **kwargs)
            if self._base is None and self.is_leaf and get_mode().grad:
                raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
            node = y._edge[0]
            node.__class__ = called(node.__class__, node.name()[:-1] + str(int(node.name()[-1]) + shift))
            self._edge = y._edge
        self._array = op(self.detach(), *args, **kwargs)._array
        self._counter[0] += 1
        return self

    method.__name__ = name
    method.__doc__ = f"`{name.rstrip('_')}`, changing this tensor itself."
    attach(name, method)


for _name, _op, _shift in (
    ("squeeze_", squeeze, 3), ("unsqueeze_", unsqueeze, 1), ("transpose_", transpose, 1), ("t_", t, 1),
    ("swapaxes_", transpose, 1), ("swapdims_", transpose, 1),
):  # fmt: skip
    _inplace_view(_name, _op, _shift)


def resize_(self: Any, *sizes: Any, memory_format: Any = None) -> Any:
    """Give this tensor another size; new elements are uninitialised (zero)."""
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = shape_of(sizes, "resize_")
    if memory_format is not None and memory_format.name.startswith("channels_last"):
        check_rank(len(shape), memory_format.name)
        n = len(shape)
        resize_(self, shape[0], *shape[2:], shape[1])
        self._array = self._array.transpose((0, n - 1, *range(1, n - 1)))
        return self
    a = self._array
    n = math.prod(shape)
    root = storage_of(a)
    have = (root.nbytes - (a.ctypes.data - root.ctypes.data)) // a.itemsize if root.flags.c_contiguous else a.size
    if n <= have and root.flags.c_contiguous:
        flat = root.reshape(-1)
        flat = flat.view(a.dtype) if flat.dtype != a.dtype else flat
        start = (a.ctypes.data - root.ctypes.data) // a.itemsize
        self._array = flat[start : start + n].reshape(shape)
        return self
    require_resizable(a)
    new = np.zeros(n, a.dtype)
    flat = a.reshape(-1)
    new[: flat.size] = flat[:n]
    self._array = new.reshape(shape)
    return self


attach("resize_", resize_)
FUNCTIONS["resize_"] = resize_


def _resize_as(self: Any, the_template: Any, memory_format: Any = None) -> Any:
    """`resize_` to the shape of another tensor."""
    return resize_(self, the_template.shape, memory_format=memory_format)


attach("resize_as_", _resize_as)
FUNCTIONS["resize_as_"] = _resize_as


def _set(self: Any, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Any:
    """Make this tensor look at the memory of another."""
    if source is None:
        self._array = np.empty(0, self._array.dtype)
        return self
    if not isinstance(source, Tensor):  # the bytes of a storage
        a, size = source.array, (source.nbytes() // self.itemsize,) if size is None else size
        a = a[: a.size // self.itemsize * self.itemsize].view(self._array.dtype)
    elif source.dtype is not self.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {source.dtype.c_name} to a tensor of type {self.dtype.c_name}"
        )
    else:
        a, self._counter = source._array, source._counter
    if size is not None:
        size = tuple(size)
        step = [numel(size[i + 1 :]) for i in range(len(size))] if stride is None else stride
        a = _as_strided_of(a, size, tuple(step), storage_offset)
    self._array = a
    return self


attach("set_", _set)


# ---- copies of views ---------------------------------------------------------------------------------------------------------


def _in_order(x: Any) -> Any:
    return clone(x, memory_format=contiguous_format)


def _copying(name: str, op: Any) -> None:
    def copy(input: Any, *args: Any, **kwargs: Any) -> Any:
        found = op(input, *args, **kwargs)
        return tuple(_in_order(x) for x in found) if isinstance(found, tuple) else _in_order(found)

    copy.__name__ = copy.__qualname__ = f"{name}_copy"
    copy.__doc__ = f"As `{name}`, as a copy."
    public(copy, method=False, out=True)


_copied: tuple[tuple[str, Any], ...] = (
    ("view", reshape), ("permute", permute), ("transpose", transpose), ("t", t), ("squeeze", squeeze), ("unsqueeze", unsqueeze),
    ("expand", expand), ("as_strided", as_strided), ("unbind", unbind), ("split", split), ("split_with_sizes", split),
    ("select", select), ("slice", lambda x, dim=0, start=None, end=None, step=1: _slice(x, (slice(None),) * dim + (slice(start, end, step),))),
    ("unfold", _unfold_method), ("alias", lambda x: view(x, x.shape)), ("detach", Tensor.detach),
)  # fmt: skip
for _name, _viewing in _copied:
    _copying(_name, _viewing)
public(split, name="unsafe_split")
public(split, name="unsafe_split_with_sizes")
public(chunk, name="unsafe_chunk")
