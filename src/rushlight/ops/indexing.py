"""`x[index]` and `x[index] = value`, by PyTorch's rules (the rules themselves are in `backend/indexing.py`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import views
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, current_edge, wrap
from ..backend import indexing as rules
from ..backend import placing
from .declare import primitive
from .publishing import attach, public
from .shape import sum_to_any

_new = object.__new__


def _basic_backward(g: Any, a_shape: Any, key: Any) -> Any:
    if isinstance(g, Tensor):
        return _basic_scatter(g.new_zeros(a_shape), g, key)
    out = np.zeros(a_shape, g.dtype)
    out[key] = g
    return out


def _basic_put(a: Any, b: Any, key: Any) -> Any:
    out = np.array(a)
    out[key] = b
    return out


_basic_scatter: Any = primitive(
    "SliceScatterBackward0", _basic_put, tensors=True,
    a=lambda g, key: _basic_scatter(g, g.new_zeros(g._array[key].shape), key), b=lambda g, key: _basic_part(g, key),
)  # fmt: skip


def _basic_part(x: Any, key: Any) -> Any:
    return _basic(x, key)


def _basic_primitive(name: str) -> Any:
    return primitive(name, lambda a, key: a[key], view=True, a=lambda g, a_shape, key: _basic_backward(g, a_shape, key))


_basic = _basic_primitive("SliceBackward0")
_by_last = {
    int: _basic_primitive("SelectBackward0"),
    type(None): _basic_primitive("UnsqueezeBackward0"),
    type(...): _basic_primitive("AliasBackward0"),
    slice: _basic,
}


def _accumulated(b: Any, shape: Any, key: Any) -> Any:
    out = np.zeros(shape, b.dtype)
    rules.accumulate_(out, key, b)
    return out


_gather: Any = primitive(
    "IndexBackward0", lambda a, key: rules.gather(a, key), a=lambda g, a_shape, key: _scatter_sum(g, a_shape, key)
)
_scatter_sum: Any = primitive("IndexPutBackward0", _accumulated, b=lambda g, key: _gather(g, key))


def _put(a: Any, b: Any, key: Any, accumulate: bool) -> Any:
    out = placing.copy(a)
    if accumulate:
        rules.accumulate_(out, key, b)
    else:
        rules.setitem_(out, key, b)
    return out


def _put_grad_self(g: Any, key: Any, accumulate: bool) -> Any:
    return g if accumulate else _index_put(g, g.new_zeros(()), key, False)


_index_put: Any = primitive(
    "IndexPutBackward0", _put, tensors=True,
    a=_put_grad_self, b=lambda g, b_shape, key: sum_to_any(_gather(g, key), b_shape),
)  # fmt: skip


def getitem(self: Any, index: Any) -> Any:
    """The elements that `index` selects: a view for integers, slices, None and Ellipsis, a copy for index tensors.

    https://docs.pytorch.org/docs/stable/tensor_view.html

    >>> import rushlight as torch
    >>> x = torch.arange(12).reshape(3, 4)
    >>> x[0, 1:3], x[x > 9]
    (tensor([1, 2]), tensor([10, 11]))
    """
    mode = get_mode()
    edge = (self._edge if self._base is None else current_edge(self)) if mode.grad else None
    if edge is None:
        out, is_view = rules.getitem(self._array, index)
        if is_view:
            return views.view_of(self, out, None, mode)
        y = _new(Tensor)
        y._array, y._counter = out, [0]
        if mode.inference:
            y._inference = True
        return y
    if index.__class__ is int and self._array.ndim and -self._array.shape[0] <= index < self._array.shape[0]:
        return _by_last[int](self, (index, ...))
    parsed = rules.parse(index, self._array.shape)
    x = self
    if parsed.basic or not parsed.arrays:
        key = parsed.basic
        last = index if index.__class__ is slice else _last_change(key)
        kind = last.__class__ if last.__class__ in _by_last else int
        x = _by_last[kind](self, key if any(k is Ellipsis for k in key) else (*key, ...))
    if not parsed.arrays:
        return x
    return _gather(x, rules.Index((), parsed.arrays, parsed.unique))


def _last_change(key: tuple[Any, ...]) -> Any:
    """The last item of a basic index that changes anything, which names the node; Ellipsis if none does."""
    return next((k for k in reversed(key) if k is not Ellipsis and k != slice(None)), ...)


def setitem(self: Any, index: Any, value: Any) -> None:
    """Write a number or a tensor (broadcast) into the selected elements; the graph follows."""
    mode = get_mode()
    tensor = isinstance(value, Tensor)
    recording = mode.grad and (self.requires_grad or (tensor and value.requires_grad))
    if not recording:
        a = self._array
        views.check_memory(self, a if 0 not in a.strides else rules.parse(index, a.shape).view(a))
        if tensor:
            value = value._array
            if value.base is not None or a.base is not None:
                parsed = rules.parse(index, a.shape)
                if not parsed.arrays:
                    views.check_overlap(parsed.view(a), value)
        elif not isinstance(value, (int, float, complex, bool, np.generic)):
            kind = "numpy.ndarray" if isinstance(value, np.ndarray) else type(value).__name__
            raise TypeError(f"can't assign a {kind} to a torch.{self.dtype.scalar_name}Tensor")
        rules.setitem_(self._array, index, value)
        self._counter[0] += 1
        return
    parsed = rules.parse(index, self._array.shape)
    key = parsed.basic
    target = self
    if not parsed.arrays or _last_change(key) is not ...:
        target = _basic(self, key if any(k is Ellipsis for k in key) else (*key, ...))
    if not parsed.arrays:
        if tensor:
            value = _without_leading_ones(value, target._array.ndim)
        (target.copy_ if tensor else target.fill_)(value)
        return
    source = value if tensor else wrap(np.asarray(rules.scalar(value, target._array.dtype), target._array.dtype))
    _index_put_into(target, source, rules.Index((), parsed.arrays, parsed.unique), False)


def _without_leading_ones(value: Any, ndim: int) -> Any:
    while value._array.ndim > ndim and value._array.shape[0] == 1:
        value = value.squeeze(0)
    return value


def _index_put_into(x: Any, source: Any, key: Any, accumulate: bool) -> Any:
    views.check_inplace(x)
    result = _index_put(x, source, key, accumulate)
    views.write(x, result._array)
    views.rebase(x, result._edge)
    return x


attach("__getitem__", getitem)
attach("__setitem__", setitem)


def _advanced(index: Any) -> Any:
    """One of `index_put`'s indices: a 0-d one is as any other there, not a choice that drops a dimension."""
    if index is None:
        return slice(None)
    scalar = isinstance(index, Tensor) and index.dim() == 0 and index._array.dtype.kind != "b"
    return index.reshape(1) if scalar else index


def _index_key(x: Any, indices: Any) -> Any:
    parsed = rules.parse(tuple(map(_advanced, indices)), x._array.shape)
    return rules.Index((), parsed.arrays, parsed.unique)


@public(out=True)
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """`input` with the elements at `indices` (a tuple of index tensors) replaced by, or increased by, `values`."""
    _same_dtype(input, values)
    return _index_put(input, values, _index_key(input, indices), accumulate)


def _same_dtype(x: Any, values: Any) -> None:
    if x._array.dtype != values._array.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{x.dtype.scalar_name} for the destination and {values.dtype.scalar_name} for the source."
        )


def _index_put_(self: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """In-place version of `index_put`."""
    _same_dtype(self, values)
    if get_mode().grad and (self.requires_grad or values.requires_grad):
        return _index_put_into(self, values, _index_key(self, indices), accumulate)
    views.check_inplace(self)
    key = _index_key(self, indices)
    (rules.accumulate_ if accumulate else rules.setitem_)(self._array, key, values._array)
    self._counter[0] += 1
    return self


attach("index_put_", _index_put_)
