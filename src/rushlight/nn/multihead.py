"""`MultiheadAttention`: queries attend to keys and read values, in several learned projections."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd.modes import is_grad_enabled
from ..dtypes import bool as boolean
from ..settings import get_fastpath_enabled
from . import functional as F
from . import init
from .linear import NonDynamicallyQuantizableLinear
from .module import Module
from .parameter import Parameter


def records(*tensors: Any) -> bool:
    """Whether a gradient would be recorded for one of the tensors."""
    return is_grad_enabled() and any(x.requires_grad for x in tensors)


class MultiheadAttention(Module):
    """Multi-head attention (Vaswani et al., https://arxiv.org/abs/1706.03762).

    Inputs are (L, N, E), or (N, L, E) with `batch_first`; returns the output and, with `need_weights`, the weights.
    """

    __constants__ = ["batch_first"]

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads, self.dropout, self.batch_first = num_heads, dropout, batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def parameter(*shape: int) -> Parameter:
            return Parameter(ops.empty(shape, device=device, dtype=dtype))  # type: ignore[no-any-return]

        if self._qkv_same_embed_dim:
            self.in_proj_weight = parameter(3 * embed_dim, embed_dim)
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = parameter(embed_dim, embed_dim)
            self.k_proj_weight = parameter(embed_dim, self.kdim)
            self.v_proj_weight = parameter(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", parameter(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        self.bias_k = parameter(1, 1, embed_dim) if add_bias_kv else None
        self.bias_v = parameter(1, 1, embed_dim) if add_bias_kv else None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        if self._qkv_same_embed_dim:
            init.xavier_uniform_(self.in_proj_weight)
        else:
            init.xavier_uniform_(self.q_proj_weight)
            init.xavier_uniform_(self.k_proj_weight)
            init.xavier_uniform_(self.v_proj_weight)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        if self.bias_k is not None:
            init.xavier_normal_(self.bias_k)
        if self.bias_v is not None:
            init.xavier_normal_(self.bias_v)

    def __setstate__(self, state: dict[str, Any]) -> None:
        state.setdefault("_qkv_same_embed_dim", True)
        super().__setstate__(state)

    def forward(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
        attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False,
    ) -> tuple[Any, Any]:  # fmt: skip
        inference = query is key is value and self._infers(query, key_padding_mask, attn_mask)
        unsafe = inference and not (key_padding_mask is None and attn_mask is None)
        if inference:
            is_causal = False  # it looks at the masks alone
        swap = self.batch_first and query.dim() == 3
        if swap:
            # One transpose for one tensor, so that `query is key` still tells self-attention.
            turned = {id(x): x.transpose(0, 1) for x in (query, key, value)}
            query, key, value = turned[id(query)], turned[id(key)], turned[id(value)]
        out, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias,
            training=self.training, key_padding_mask=key_padding_mask, attn_mask=attn_mask,
            need_weights=need_weights or unsafe, use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight, k_proj_weight=self.k_proj_weight, v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        if swap:
            out = out.transpose(0, 1)
        return (out.contiguous() if inference else out), (weights if need_weights else None)

    def _infers(self, x: Any, padding: Any, mask: Any) -> bool:
        """Whether PyTorch takes its inference path for self-attention of `x`.

        There the softmax of a row that sees nothing is nan, as with `need_weights`, and `is_causal` is not looked at.
        """
        return bool(
            not self.training
            and self.batch_first
            and x.dim() == 3
            and self._qkv_same_embed_dim
            and self.in_proj_bias is not None
            and self.num_heads % 2 == 0
            and self.bias_k is None
            and not self.add_zero_attn
            and all(m is None or m.dtype is boolean for m in (padding, mask))
            and get_fastpath_enabled()
            and not records(x, *self.parameters())
        )

    def merge_masks(self, attn_mask: Any, key_padding_mask: Any, query: Any) -> tuple[Any, int | None]:
        """One mask (N, heads, L, S) for both, and PyTorch's number for its kind."""
        if key_padding_mask is None:
            return (attn_mask, None) if attn_mask is None else (attn_mask, 0)
        if attn_mask is None:
            return key_padding_mask, 1
        batch, length = query.shape[0], query.shape[1]
        mask = (
            attn_mask.reshape(batch, -1, length, length)
            if attn_mask.dim() == 3
            else attn_mask.reshape(1, 1, length, length)
        )
        mask = mask.expand(batch, self.num_heads, -1, -1)
        return mask + key_padding_mask.reshape(batch, 1, 1, length).expand(-1, self.num_heads, -1, -1), 2
