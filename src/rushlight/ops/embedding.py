"""Rows of a table, looked up by number."""

from __future__ import annotations

from typing import Any

from ..autograd.tensor import Tensor
from ..backend import kernels as K
from ..errors import unsupported
from .declare import primitive
from .publishing import FUNCTIONS, type_error

_embedding: Any = primitive(
    "EmbeddingBackward0", lambda w, ids, padding, by_freq: K.embedding(w, ids), inputs=("ids",),
    w=lambda g, w_shape, ids, padding, by_freq: _rows_summed(g, ids, w_shape[0], padding, by_freq),
)  # fmt: skip
_rows_summed: Any = primitive(
    "EmbeddingDenseBackwardBackward0", lambda b, ids, rows, padding, by_freq: K.embedding_backward(b, ids, rows, padding, by_freq),
    inputs=("ids",), tensors=True, b=lambda g, ids, padding, by_freq: _gathered(g, ids, padding, by_freq),
)  # fmt: skip


def _gathered(g: Any, ids: Any, padding: Any, by_freq: bool) -> Any:
    if by_freq:
        raise unsupported("the second derivative of an embedding with scale_grad_by_freq")
    y = _embedding(g, ids, None, False)
    if padding is not None and padding >= 0:
        y = y * (ids != padding).to(g.dtype).unsqueeze(-1)
    return y


def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    """Rows of `weight` (rows, features) by the numbers in `input`; `padding_idx` gets no gradient.

    `max_norm` first scales rows that are used and longer down to that norm, in place.
    """
    if not isinstance(input, Tensor):
        raise type_error("embedding", input, 2, "indices")
    if input._array.dtype.name not in ("int64", "int32"):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
            f"torch.{input.dtype.scalar_name}Tensor instead (while checking arguments for embedding)"
        )
    if weight._array.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    rows = weight._array.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if sparse:
        raise unsupported("sparse gradients of an embedding")
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    return _embedding(weight, input, padding_idx, scale_grad_by_freq)


def _renormalize(weight: Any, ids: Any, max_norm: float, p: float) -> None:
    import numpy as np

    used = np.unique(ids._array)
    w = weight._array
    norms = np.linalg.norm(w[used].astype(np.float64), ord=p, axis=1)
    long = norms > max_norm
    w[used[long]] *= (max_norm / (norms[long] + 1e-7)).astype(w.dtype)[:, None]
    weight._counter[0] += 1


def _torch_embedding(
    weight: Any, indices: Any, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Any:
    """`torch.embedding`: the table first."""
    return embedding(indices, weight, None if padding_idx < 0 else padding_idx, scale_grad_by_freq=scale_grad_by_freq)


FUNCTIONAL = {"embedding": embedding}
FUNCTIONS["embedding"] = _torch_embedding
