"""All parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import ops
from ...autograd.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """The elements of all parameters in one vector."""
    return ops.cat([x.reshape(-1) for x in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Make each parameter's data the part of `vec` that `parameters_to_vector` put there."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for x in parameters:
        n = x.numel()
        x.data = vec[start : start + n].view_as(x).data
        start += n
