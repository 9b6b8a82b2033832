"""Collation: a list of samples becomes one batch of the same structure."""

import contextlib
import copy
import re
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

import rushlight
from rushlight.autograd.tensor import Tensor, wrap
from rushlight.utils.data._utils import shared

CollateMap = dict[Any, Callable[..., Any]]

default_collate_err_msg_format = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)
_TEXT_OR_OBJECT = re.compile(r"[SaUO]")


def default_convert(data: Any) -> Any:
    """NumPy arrays inside `data` as Tensors, everything else as it is; what a loader without batches does.

    >>> default_convert({"x": np.ones(2, np.float32), "name": "a"})
    {'x': tensor([1., 1.]), 'name': 'a'}
    """
    if isinstance(data, Tensor):
        return data
    if type(data).__module__ == "numpy" and type(data).__name__ not in ("str_", "bytes_"):
        if isinstance(data, np.ndarray) and _TEXT_OR_OBJECT.search(data.dtype.str):
            return data
        return rushlight.as_tensor(data)
    if isinstance(data, Mapping):
        return _rebuild_mapping(data, {k: default_convert(v) for k, v in data.items()})
    if isinstance(data, tuple):
        items = [default_convert(v) for v in data]
        return type(data)(*items) if hasattr(data, "_fields") else items
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _rebuild_sequence(data, [default_convert(v) for v in data])
    return data


def collate(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """Collate with the functions of `collate_fn_map` for leaves (by type), recursing into mappings and sequences.

    A function is called as `fn(batch, collate_fn_map=collate_fn_map)`.
    """
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        fn = collate_fn_map.get(kind) or next((f for t, f in collate_fn_map.items() if isinstance(first, t)), None)
        if fn is not None:
            return fn(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {k: collate([d[k] for d in batch], collate_fn_map=collate_fn_map) for k in first}
        return _rebuild_mapping(first, columns)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*(collate(c, collate_fn_map=collate_fn_map) for c in zip(*batch, strict=True)))
    if isinstance(first, Sequence):
        n = len(first)
        if set(map(len, batch)) != {n}:
            raise RuntimeError("each element in list of batch should be of equal size")
        items = [collate(c, collate_fn_map=collate_fn_map) for c in zip(*batch, strict=True)]
        return items if isinstance(first, tuple) else _rebuild_sequence(first, items)
    raise TypeError(default_collate_err_msg_format.format(kind))


def _rebuild_mapping(like: Any, items: dict[Any, Any]) -> Any:
    """A mapping of the same type; a plain dict for types that cannot be made from one."""
    try:
        if isinstance(like, MutableMapping):
            out = copy.copy(like)
            out.update(items)
            return out
        return type(like)(items)
    except TypeError:
        return items


def _rebuild_sequence(like: Any, items: list[Any]) -> Any:
    """A sequence of the same type; a list for types that cannot be made from one (range)."""
    try:
        if isinstance(like, MutableSequence):
            out = copy.copy(like)
            for i, item in enumerate(items):
                out[i] = item
            return out
        return type(like)(items)
    except TypeError:
        return items


def collate_tensor_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    """`stack(batch)`; without gradients, one copy of every array straight into the batch's memory."""
    if batch.__class__ is list or batch.__class__ is tuple:
        arrays = [x._array for x in batch if x.__class__ is Tensor and (x._edge is x._base or not x.requires_grad)]
        # list.count compares in C: this is most of what collating small samples costs.
        shapes, dtypes = [a.shape for a in arrays], [a.dtype for a in arrays]
        if arrays and len(batch) == len(arrays) == shapes.count(shapes[0]) == dtypes.count(dtypes[0]):
            return wrap(_stack(arrays))
    return rushlight.stack(batch, 0)


def _stack(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """`np.stack` of arrays of one shape and dtype, without its two views an array."""
    first = arrays[0]
    out = shared.empty((len(arrays), *first.shape), first.dtype)
    if first.ndim:
        np.concatenate(arrays, out=out.reshape(len(arrays) * first.shape[0], *first.shape[1:]))
    else:
        out[...] = arrays
    return out


def collate_numpy_array_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    dtype = batch[0].dtype
    if _TEXT_OR_OBJECT.search(dtype.str) is not None:
        raise TypeError(default_collate_err_msg_format.format(dtype))
    return collate([rushlight.as_tensor(b) for b in batch], collate_fn_map=collate_fn_map)


def collate_numpy_scalar_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    return rushlight.as_tensor(np.asarray(batch))


def collate_float_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    return wrap(np.array(batch)) if _all_are(float, batch) else rushlight.tensor(batch, dtype=rushlight.float64)


def collate_int_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    if _all_are(int, batch):
        with contextlib.suppress(OverflowError):  # `tensor` has the better message
            return wrap(np.array(batch, np.int64))
    return rushlight.tensor(batch)


def _all_are(kind: type, batch: Any) -> bool:
    """Whether plain Python numbers are all there is, which NumPy and PyTorch read alike."""
    return set(map(type, batch)) == {kind}


def collate_str_fn(batch: Any, *, collate_fn_map: CollateMap | None = None) -> Any:
    return batch


default_collate_fn_map: CollateMap = {
    Tensor: collate_tensor_fn,
    np.ndarray: collate_numpy_array_fn,
    (np.bool_, np.number, np.object_): collate_numpy_scalar_fn,
    float: collate_float_fn,
    int: collate_int_fn,
    str: collate_str_fn,
    bytes: collate_str_fn,
}


def default_collate(batch: Any) -> Any:
    """Stack Tensors and arrays, gather numbers into Tensors, keep texts, and go into mappings and sequences.

    Floats give float64. RuntimeError for samples of unequal length or shape, TypeError for a type without a rule.

    >>> default_collate([(1.5, {"id": 3}), (2.5, {"id": 4})])
    [tensor([1.5000, 2.5000], dtype=torch.float64), {'id': tensor([3, 4])}]
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
