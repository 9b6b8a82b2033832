"""Scaled dot-product attention."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.tensor import wrap
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
                f"{_c(query)} key.dtype: {_c(key)} and value.dtype: {_c(value)} instead."
            )
        del name
    if is_causal and attn_mask is not None:
        raise RuntimeError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if enable_gqa:
        repeats = query.shape[-3] // key.shape[-3]
        key = key.repeat_interleave(repeats, -3)
        value = value.repeat_interleave(query.shape[-3] // value.shape[-3], -3)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    # Scaling both sides by the root keeps half precision from overflowing, and is what PyTorch does.
    scores = matmul(query * factor, key.transpose(-2, -1))
    if is_causal:
        n, m = query.shape[-2], key.shape[-2]
        attn_mask = wrap(np.tri(n, m, dtype=bool))
    if attn_mask is not None:
        if attn_mask._array.dtype.kind == "b":
            scores = scores.masked_fill(~attn_mask, -math.inf)
            weights = softmax(scores, -1)
            if not is_causal:  # a row with nothing to look at gives zeros, not nan
                empty = ~attn_mask._array.any(-1, keepdims=True)
                if empty.any():
                    weights = weights.masked_fill(wrap(empty), 0.0)
        else:
            weights = softmax(scores + attn_mask, -1)
    else:
        weights = softmax(scores, -1)
    if dropout_p > 0:
        from .dropping import dropout

        weights = dropout(weights, dropout_p, True)
    return matmul(weights, value)


def _c(x: Any) -> str:
    name: str = x.dtype.name
    return {"float32": "float", "float64": "double", "float16": "c10::Half", "bfloat16": "c10::BFloat16"}.get(
        name, name
    )


FUNCTIONAL = {"scaled_dot_product_attention": scaled_dot_product_attention}
