"""Distances and similarities of vectors, and their normalisation."""

from __future__ import annotations

from typing import Any

from ... import ops


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between `x1` and `x2` along `dim`, each norm taken as at least `eps`."""
    x1, x2 = ops.broadcast_tensors(x1, x2)
    if not (x1.is_floating_point() or x1.is_complex()):
        raise RuntimeError(f"expected common dtype to be floating point, yet common dtype is {x1.dtype.scalar_name}")
    u, v = (x / ops.maximum(n, ops.full_like(n, eps)) for x in (x1, x2) for n in [_length(x, dim)])
    return (u * v).sum(dim)


def _length(x: Any, dim: int) -> Any:
    return ops.norm(x, 2, dim=dim, keepdim=True)


def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """The p-norm of `x1 - x2 + eps` along the last dimension."""
    return ops.norm(x1 - x2 + eps, p, dim=-1, keepdim=keepdim)


def pdist(input: Any, p: float = 2) -> Any:
    """The p-norm distance of every pair of rows `i < j`, as a vector."""
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    i, j = ops.triu_indices(input.size(0), input.size(0), 1).unbind(0)
    return ops.norm(input.index_select(0, i) - input.index_select(0, j), p, dim=-1)


def normalize(input: Any, p: float = 2.0, dim: Any = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """`input` divided by its p-norm along `dim`, the norm taken as at least `eps`."""
    length = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / length if out is None else ops.div(input, length, out=out)
