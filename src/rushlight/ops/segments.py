"""Reductions over segments of a dimension, chunks side by side, clamped indices, and hashes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.tensor import wrap, wrap_dim
from .gathering import index_reduce
from .joining import cat
from .publishing import public
from .reduction import axes_of

_REDUCTIONS = {
    "sum": "sum",
    "mean": "mean",
    "max": "amax",
    "min": "amin",
    "prod": "prod",
    "amax": "amax",
    "amin": "amin",
}
_STARTS = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "amax": -math.inf, "amin": math.inf}


def _segment_reduce(
    data: Any,
    reduce: str,
    *,
    lengths: Any = None,
    indices: Any = None,
    offsets: Any = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: Any = None,
) -> Any:
    """Reduce (sum, mean, max, min or prod) the elements of consecutive segments, given by lengths or by offsets."""
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if lengths is None and offsets is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    counts = lengths._array if lengths is not None else np.diff(offsets._array, axis=-1)
    if counts.size and counts.min() < 0:
        raise RuntimeError("lengths contains negative value!")
    lead, n = data.shape[:axis], data.shape[axis]
    if lengths is not None and not unsafe and (counts.sum(-1) != n).any():
        raise RuntimeError(
            "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."
        )
    how = _REDUCTIONS[reduce]
    m, rows = counts.shape[-1], math.prod(lead)
    flat = counts.reshape(rows, m)
    used = flat.sum(1)
    target = (
        np.concatenate([r * m + np.repeat(np.arange(m), flat[r]) for r in range(rows)])
        if rows
        else np.zeros(0, np.int64)
    )
    source = np.concatenate([r * n + np.arange(used[r]) for r in range(rows)]) if rows else np.zeros(0, np.int64)
    rest = tuple(data.shape[axis + 1 :])
    values = data.reshape((rows * n, *rest)).index_select(0, wrap(source.astype(np.int64)))
    start = _STARTS[how] if initial is None else initial
    out = data.new_full((rows * m, *rest), start)
    if how in ("sum", "mean"):
        found = out.index_add(0, wrap(target.astype(np.int64)), values)
    else:
        found = index_reduce(out, 0, wrap(target.astype(np.int64)), values, how)
    if how == "mean":
        divisor = flat.reshape(rows * m, *[1] * len(rest)).astype(np.float64)
        empty = divisor == 0
        if initial is not None:
            divisor = np.where(empty, 1, divisor)
        found = found / wrap(divisor.astype(data._array.dtype))
        if initial is None:
            found = found.masked_fill(wrap(empty), math.nan)
    return found.reshape((*lead, m, *rest))


segment_reduce = public(_segment_reduce, name="segment_reduce", method=False)
public(_segment_reduce, name="_segment_reduce", method=False)


@public(method=False, out=True, name="_chunk_cat")
def _chunk_cat(tensors: Any, dim: int, num_chunks: int) -> Any:
    """Each tensor padded and cut into chunks along `dim`; the chunks of all tensors side by side, flattened."""
    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    if num_chunks < 1:
        raise RuntimeError("_chunk_cat expects positive num_chunks")
    first = tensors[0]
    for x in tensors:
        if not x.numel():
            raise RuntimeError("_chunk_cat expects non-empty tensor")
        if x.dtype is not first.dtype:
            raise RuntimeError("_chunk_cat expects all input tensors with the same dtype")
    d = wrap_dim(dim, first.dim())
    for x in tensors:
        if x.dim() <= d:
            raise RuntimeError("_chunk_cat expects dim < ndim for all input tensors")
        if x.shape[:d] != first.shape[:d]:
            raise RuntimeError("_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors")
    parts = []
    for x in tensors:
        size = -(-x.shape[d] // num_chunks)
        missing = size * num_chunks - x.shape[d]
        if missing:
            shape = list(x.shape)
            shape[d] = missing
            x = cat([x, x.new_zeros(shape)], d)
        parts.append(x.reshape((*x.shape[:d], num_chunks, -1)))
    return cat(parts, d + 1)


@public(method=False, name="_unsafe_masked_index")
def _unsafe_masked_index(self: Any, mask: Any, indices: Any, fill: Any) -> Any:
    """`self[indices]` where the mask holds, `fill` elsewhere; indices are clamped."""
    return self[_clamped(self, indices)].masked_fill(~mask, fill)


@public(method=False, name="_unsafe_masked_index_put_accumulate")
def _unsafe_masked_index_put_accumulate(self: Any, mask: Any, indices: Any, values: Any) -> Any:
    """`self` with the values added at clamped indices where the mask holds."""
    return self.index_put(_clamped(self, indices), values.masked_fill(~mask, 0), accumulate=True)


def _clamped(x: Any, indices: Any) -> tuple[Any, ...]:
    return tuple(slice(None) if i is None else i.clamp(-n, n - 1) for i, n in zip(indices, x.shape, strict=False))


@public
def hash_tensor(input: Any, dim: Any = (), *, keepdim: bool = False, mode: int = 0) -> Any:
    """The exclusive or of the bits of all elements as 64-bit numbers, or along dimensions."""
    a = input._array
    axes = axes_of(input, dim if dim != () else None)
    if axes is None and not a.size:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
            "'dim' argument."
        )
    xor: Any = np.bitwise_xor.reduce
    bits = a.astype(np.int64 if a.dtype.kind in "biu" else np.float64).view(np.uint64)
    return wrap(np.asarray(xor(bits, axis=axes if a.ndim else None, keepdims=keepdim)))
