"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.tensor import wrap
from ..backend import placing
from ..dtypes import float32
from .activation import softmax_of as softmax
from .linear import matmul


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, is_causal: bool = False,
    scale: float | None = None, enable_gqa: bool = False,
) -> Any:  # fmt: skip
    """`softmax(query @ key.T * scale + mask) @ value`: query (..., L, E), key (..., S, E), value (..., S, V).

    A bool mask keeps where it is True; a floating one is added; `is_causal` masks what comes later. Vaswani et al.
    2017, https://arxiv.org/abs/1706.03762.
    """
    for name, x in (("query", query), ("key", key), ("value", value)):
        if x.dim() < 2:
            raise RuntimeError(
                "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
                f"{query.dim()}, key.dim: {key.dim()} and value.dim: {value.dim()} instead."
            )
        if x.dtype is not query.dtype:
            raise RuntimeError(
                "Expected query, key, and value to have the same dtype, but got query.dtype: "
                f"{query.dtype.c_name} key.dtype: {key.dtype.c_name} and value.dtype: {value.dtype.c_name} instead."
            )
        del name
    if attn_mask is not None:
        _check_mask(attn_mask, query)
    if enable_gqa:
        repeats = query.shape[-3] // key.shape[-3]
        key = key.repeat_interleave(repeats, -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    if is_causal and attn_mask is not None and not _one_kernel(query, key, value, attn_mask, dropout_p):
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    mask = attn_mask
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    # Scaling both sides by the root keeps half precision from overflowing, and is what PyTorch does.
    scores = matmul(query * factor, key.transpose(-2, -1))
    if is_causal:
        past = wrap(np.tri(query.shape[-2], key.shape[-2], dtype=bool))
        if attn_mask is None:
            scores = scores.masked_fill(~past, -math.inf)
        else:
            attn_mask = (
                attn_mask & past
                if _is_bool(attn_mask)
                else attn_mask + wrap(np.where(past._array, 0.0, -math.inf)).to(attn_mask.dtype)
            )
    weights = softmax(scores, -1) if attn_mask is None else _masked_softmax(scores, attn_mask)
    if dropout_p > 0:
        from .dropping import dropout

        weights = dropout(weights, dropout_p, True)
    y = matmul(weights, value)
    a = query._array
    if a.flags.c_contiguous or not _one_kernel(query, key, value, mask, dropout_p):
        return y
    if all(x._array.strides[-1] == a.itemsize for x in (query, key, value)):
        y._array = placing.placed(y._array, a)  # which nothing has looked at yet
    return y


def _is_bool(mask: Any) -> bool:
    return bool(mask._array.dtype.kind == "b")


def _masked_softmax(scores: Any, mask: Any) -> Any:
    """The softmax of masked scores, where a row with nothing to look at gives zeros and not nan."""
    a = mask._array
    if _is_bool(mask):
        masked, empty = scores.masked_fill(~mask, -math.inf), ~a.any(-1, keepdims=True)
    else:
        masked, empty = scores + mask.to(scores.dtype), np.isneginf(a).all(-1, keepdims=True)
    if masked.shape != scores.shape:
        raise RuntimeError(
            f"output with shape {list(scores.shape)} doesn't match the broadcast shape {list(masked.shape)}"
        )
    if not empty.any():
        return softmax(masked, -1)
    rows = wrap(empty)  # filled on both sides of the softmax: neither it nor its gradient meets nan
    return softmax(masked.masked_fill(rows, 0.0), -1).masked_fill(rows, 0.0)


def _check_mask(mask: Any, query: Any) -> None:
    if not _is_bool(mask) and mask.dtype is not query.dtype and mask.dtype is not float32:
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: "
            f"{mask.dtype.c_name} and  query.dtype: {query.dtype.c_name} instead."
        )


def _one_kernel(query: Any, key: Any, value: Any, mask: Any, dropout_p: float) -> bool:
    """Whether PyTorch takes its fused kernel, which alone allows a mask and `is_causal` together."""
    (batch, heads, n, width), m = query.shape if query.dim() == 4 else (0,) * 4, key.shape[-2]
    return bool(
        query.shape[:2] == key.shape[:2] == value.shape[:2]
        and query.dim() == key.dim() == value.dim() == 4
        and width == key.shape[-1] == value.shape[-1]
        and n * m * batch * heads > 0
        and dropout_p == 0
        and (mask is None or _fits_kernel(mask, (m, n, heads, batch)))
    )


def _fits_kernel(mask: Any, sizes: tuple[int, ...]) -> bool:
    return (
        not mask.requires_grad
        and mask.dim() in (2, 4)
        and all(size in (1, full) for size, full in zip(mask.shape[::-1], sizes, strict=False))
    )


FUNCTIONAL = {"scaled_dot_product_attention": scaled_dot_product_attention}
