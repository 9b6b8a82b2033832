"""Multi-head attention from its projections up (Vaswani et al., https://arxiv.org/abs/1706.03762)."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...ops.attention import scaled_dot_product_attention
from ...ops.dropping import dropout as dropout_of
from ...ops.linear import linear
from ...settings import warn
from .pad import constant


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int, in_proj_weight: Any, in_proj_bias: Any,
    bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float, out_proj_weight: Any, out_proj_bias: Any,
    training: bool = True, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None, average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Attention of `query` (L, N, E) over `key`, `value` (S, N, ·), with all projections; unbatched without N.

    Returns the output (L, N, E) and the attention weights (N, L, S) (or None without `need_weights`).
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    source = key.size(0)
    key_padding_mask = additive_mask(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", query.dtype)
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None  # the kernel knows the causal mask
    else:
        attn_mask = additive_mask(attn_mask, "attn_mask", None, "", query.dtype, check_other=False)
        is_causal = is_causal and key_padding_mask is None
    _require(width == embed_dim_to_check, f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    head = width // num_heads
    _require(head * num_heads == width, f"embed_dim {width} not divisible by num_heads {num_heads}")
    if use_separate_proj_weight:
        _require(
            key.shape[:2] == value.shape[:2],
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
        )
        _require(q_proj_weight is not None, "use_separate_proj_weight is True but q_proj_weight is None")
        _require(k_proj_weight is not None, "use_separate_proj_weight is True but k_proj_weight is None")
        _require(v_proj_weight is not None, "use_separate_proj_weight is True but v_proj_weight is None")
        biases = (None, None, None) if in_proj_bias is None else in_proj_bias.chunk(3)
        q, k, v = (
            linear(x, w, b)
            for x, w, b in zip((query, key, value), (q_proj_weight, k_proj_weight, v_proj_weight), biases, strict=True)
        )
    else:
        _require(key.shape == value.shape, f"key shape {key.shape} does not match value shape {value.shape}")
        _require(in_proj_weight is not None, "use_separate_proj_weight is False but in_proj_weight is None")
        q, k, v = _packed_projection(query, key, value, in_proj_weight, in_proj_bias)
    attn_mask = _mask_by_head(attn_mask, length, source, batch * num_heads)
    if bias_k is not None and bias_v is not None:
        _require(static_k is None, "bias cannot be added to static key.")
        _require(static_v is None, "bias cannot be added to static value.")
        k = ops.cat([k, bias_k.repeat(1, batch, 1)])
        v = ops.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    else:
        _require(bias_k is None, "bias_k is not None but bias_v is None")
        _require(bias_v is None, "bias_v is not None but bias_k is None")
    q = q.reshape(length, batch * num_heads, head).transpose(0, 1)
    k = _heads(k, static_k, "static_k", batch * num_heads, head)
    v = _heads(v, static_v, "static_v", batch * num_heads, head)
    if add_zero_attn:
        k = ops.cat([k, k.new_zeros((batch * num_heads, 1, head))], dim=1)
        v = ops.cat([v, v.new_zeros((batch * num_heads, 1, head))], dim=1)
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    source = k.size(1)
    if key_padding_mask is not None:
        for i, (size, expected) in enumerate(zip(key_padding_mask.shape, (batch, source), strict=True)):
            _require(size == expected, f"Expected key_padded_mask.shape[{i}] to be {expected}, but got {size}")
        spread = key_padding_mask.reshape(batch, 1, 1, source).expand(-1, num_heads, -1, -1)
        spread = spread.reshape(batch * num_heads, 1, source)
        attn_mask = spread if attn_mask is None else attn_mask + spread
    dropout = dropout_p if training else 0.0
    if need_weights:
        scores = (q * math.sqrt(1.0 / head)) @ k.transpose(-2, -1)
        weights = ops.softmax(scores if attn_mask is None else scores + attn_mask, dim=-1)
        if dropout > 0.0:
            weights = dropout_of(weights, dropout, True)
        out = (weights @ v).transpose(0, 1).reshape(length * batch, width)
        out = linear(out, out_proj_weight, out_proj_bias).reshape(length, batch, -1)
        weights = weights.reshape(batch, num_heads, length, source)
        if average_attn_weights:
            weights = weights.mean(dim=1)
        return (out, weights) if batched else (out.squeeze(1), weights.squeeze(0))
    if attn_mask is not None:
        if attn_mask.size(0) == 1 and attn_mask.dim() == 3:
            attn_mask = attn_mask.unsqueeze(0)
        else:
            attn_mask = attn_mask.reshape(batch, num_heads, -1, source)
    q = q.reshape(batch, num_heads, length, head)
    k = k.reshape(batch, num_heads, source, head)
    v = v.reshape(batch, num_heads, source, head)
    out = scaled_dot_product_attention(q, k, v, attn_mask, dropout, is_causal)
    out = out.permute(2, 0, 1, 3).reshape(batch * length, width)
    out = linear(out, out_proj_weight, out_proj_bias).reshape(length, batch, -1)
    return (out, None) if batched else (out.squeeze(1), None)


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _packed_projection(query: Any, key: Any, value: Any, weight: Any, bias: Any) -> Any:
    """The three projections from one weight (3E, E): one product when the inputs are one tensor."""
    width = query.size(-1)
    if key is value:
        if query is key:
            return linear(query, weight, bias).chunk(3, dim=-1)
        w_q, w_kv = weight.split([width, width * 2])
        b_q, b_kv = (None, None) if bias is None else bias.split([width, width * 2])
        return (linear(query, w_q, b_q), *linear(key, w_kv, b_kv).chunk(2, dim=-1))
    biases = (None, None, None) if bias is None else bias.chunk(3)
    return tuple(linear(x, w, b) for x, w, b in zip((query, key, value), weight.chunk(3), biases, strict=True))


def _heads(x: Any, static: Any, name: str, n: int, head: int) -> Any:
    """`x` as (N * heads, length, head), unless the caller has given that already."""
    if static is None:
        return x.reshape(x.size(0), n, head).transpose(0, 1)
    _require(static.size(0) == n, f"expecting {name}.size(0) of {n}, but got {static.size(0)}")
    _require(static.size(2) == head, f"expecting {name}.size(2) of {head}, but got {static.size(2)}")
    return static


def _one_more(mask: Any) -> Any:
    return None if mask is None else constant(mask, (0, 1), 0)


def _mask_by_head(mask: Any, length: int, source: int, n: int) -> Any:
    if mask is None:
        return None
    if mask.dim() == 2:
        if tuple(mask.shape) != (length, source):
            raise RuntimeError(f"The shape of the 2D attn_mask is {mask.shape}, but should be {(length, source)}.")
        return mask.unsqueeze(0)
    if mask.dim() == 3:
        if tuple(mask.shape) != (n, length, source):
            raise RuntimeError(f"The shape of the 3D attn_mask is {mask.shape}, but should be {(n, length, source)}.")
        return mask
    raise RuntimeError(f"attn_mask's dimension {mask.dim()} is not supported")


def additive_mask(mask: Any, name: str, other: Any, other_name: str, dtype: Any, check_other: bool = True) -> Any:
    """A float mask to add to the scores; a bool one becomes -inf where it is True."""
    if mask is None:
        return None
    if mask.dtype.name != "bool" and not mask.is_floating_point():
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if check_other and other is not None and mask.dtype != other.dtype:
        warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both instead.",
        )
    if mask.is_floating_point():
        return mask
    return ops.zeros_like(mask, dtype=dtype).masked_fill(mask, -math.inf)


def _check_shapes(query: Any, key: Any, value: Any, padding: Any, mask: Any, heads: int) -> bool:
    """Whether the inputs have a batch dimension; AssertionError when they do not fit together."""
    if query.dim() not in (2, 3):
        raise AssertionError(
            f"query should be unbatched 2D or batched 3D tensor but received {query.dim()}-D query tensor"
        )
    batched = bool(query.dim() == 3)
    word = f"{'batched (3-D)' if batched else 'unbatched (2-D)'} `query`"
    n = query.dim()
    _require(
        key.dim() == n and value.dim() == n,
        f"For {word}, expected `key` and `value` to be {n}-D but found {key.dim()}-D and {value.dim()}-D tensors "
        "respectively",
    )
    if padding is not None:
        _require(
            padding.dim() == n - 1,
            f"For {word}, expected `key_padding_mask` to be `None` or {n - 1}-D but found {padding.dim()}-D tensor "
            "instead",
        )
    if mask is not None:
        _require(
            mask.dim() in (2, 3),
            f"For {word}, expected `attn_mask` to be `None`, 2-D or 3-D but found {mask.dim()}-D tensor instead",
        )
        if not batched and mask.dim() == 3:
            expected = (heads, query.shape[0], key.shape[0])
            _require(tuple(mask.shape) == expected, f"Expected `attn_mask` shape to be {expected} but got {mask.shape}")
    return batched
